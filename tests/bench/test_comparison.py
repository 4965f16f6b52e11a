import json
from pathlib import Path

import pytest

from llmcourse.bench.comparison import Comparison, as_table, write_json


def comparison(**changes: object) -> Comparison:
    given: dict = {
        "what": "train",
        "corpus": "prose",
        "size_bytes": 1_000_000,
        "vocab_size": 5000,
        "other": "tokenizers 1.0",
        "threads": 2,
        "ours_s": [1.0, 2.0, 1.0],
        "theirs_s": [4.0, 4.0, 3.0],
        "ours_bytes": 5 << 20,
        "theirs_bytes": 50 << 20,
        "equal": True,
    }
    return Comparison(**given | changes)


def test_ratio_is_how_many_times_as_long_the_other_took() -> None:
    assert comparison().ratio == {"median": 3.0, "min": 2.0, "max": 4.0}


def test_a_table_has_a_line_for_each_and_shouts_when_results_differ() -> None:
    lines = as_table([comparison(), comparison(what="encode", equal=False)]).splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split()[-1] == "yes"
    assert lines[2].split()[-1] == "NO"
    assert "3.0 [2.0-4.0]" in lines[1]


def test_json_holds_every_round_and_what_it_depends_on(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(path, [comparison()], machine={"cores": 2})
    found = json.loads(path.read_text())
    assert found["machine"] == {"cores": 2}
    assert found["rows"][0]["ours_s"] == [1.0, 2.0, 1.0]
    assert found["rows"][0]["ratio"]["median"] == 3.0


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot write .*nowhere"):
        write_json(tmp_path / "nowhere" / "result.json", [comparison()])
