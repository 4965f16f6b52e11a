"""The verb: from files to shards and a table, and clear words for what is wrong."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmcourse.cli import app
from llmcourse.pretraining import open_corpus, quality_labels, train_quality_classifier
from llmcourse.tokenization import train_bpe

for package in ("distributed", "trafilatura", "sklearn"):
    pytest.importorskip(package)

SMALL = ("--vocab-size", "300")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder, rng = tmp_path / "texts", random.Random(0)
    folder.mkdir()
    words = ["".join(rng.choices("aeioulmnrst", k=5)) for _ in range(2000)]
    for number in range(4):
        text = " ".join(f"The {' '.join(rng.sample(words, 6))} of the {rng.choice(words)}." for _ in range(20))
        (folder / f"{number}.txt").write_text(text)
    (folder / "copy.txt").write_text((folder / "0.txt").read_text())
    (folder / "short.md").write_text("too short")
    return folder


def invoke(*arguments: object) -> tuple[int, str]:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["prepare", *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, " ".join(re.sub(r"\x1b\[[0-9;]*m", "", done.output).split())


def test_files_become_shards_and_a_table_says_what_was_dropped(texts: Path, tmp_path: Path) -> None:
    code, output = invoke(texts, "--output", tmp_path / "out", *SMALL)
    assert code == 0, output
    assert "quality 5 1 words 1" in output
    assert "lines 4 1 documents 1, lines 1" in output
    assert re.search(r"[\d,]+ tokens in 1 shards, with their tokenizer, are in ", output)
    assert len(open_corpus(tmp_path / "out").shards[0].ends) == 4
    code, again = invoke(texts, "--output", tmp_path / "out", *SMALL)
    assert (code, again in output, "tokenise" in again) == (0, True, False)  # nothing is left to do


def test_options_reach_the_pipeline(texts: Path, tmp_path: Path) -> None:
    train_bpe("the quick brown fox", 260).save(tmp_path / "t.json")
    options = ("--no-heuristics", "--no-lines", "--near-duplicates", "0", "--tokenizer", tmp_path / "t.json")
    code, output = invoke(texts, "--output", tmp_path / "out", *options, "--shard-tokens", "1")
    assert code == 0, output
    opened = open_corpus(tmp_path / "out")
    assert (len(opened.shards), opened.tokenizer.vocab_size) == (5, 260)
    assert [stage["name"] for stage in opened.manifest["stages"]] == ["read", "exact"]


def test_the_classifier_is_asked_with_a_least_score(tmp_path: Path) -> None:
    labelled = quality_labels(20, held_out=True)
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in labelled.texts))
    train_quality_classifier(*quality_labels(300)).save(tmp_path / "quality.json")
    options = ("--no-heuristics", "--no-lines", "--quality", "0.5", "--classifier", tmp_path / "quality.json", *SMALL)
    code, output = invoke(tmp_path / "a.jsonl", "--output", tmp_path / "out", *options)
    assert code == 0, output
    assert re.search(r"classifier (1[6-9]|2[0-4]) \d+ score below 0\.5 \d+", output), output
    code, output = invoke(tmp_path / "a.jsonl", "--output", tmp_path / "o", "--classifier", tmp_path / "quality.json")
    assert (code, "no least score: add --quality 0.5" in output) == (2, True), output


def test_what_is_wrong_is_told_without_a_traceback(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("dear")
    out = ("--output", tmp_path / "out")
    for arguments, message in (
        ((tmp_path / "absent", *out), "absent' is not there"),
        ((tmp_path / "empty", *out), "there is no file to read"),
        ((texts / "short.md", *out), "nothing is left of 1 files"),
        ((texts, "--output", tmp_path / "full"), "holds something else than a prepared corpus"),
        ((texts, *out, "--tokenizer", tmp_path / "no.json"), "no.json': give the file that"),
        ((texts, *out, "--near-duplicates", "2"), "near_duplicates is 2.0"),
        ((texts, *out, "--scheduler", "nonsense://x"), "no Dask scheduler answers at 'nonsense://x'"),
    ):
        code, output = invoke(*arguments)
        assert (code, message in output, "Traceback" in output) == (2, True, False), output


def test_another_tokenizer_for_shards_that_are_there_is_refused(texts: Path, tmp_path: Path) -> None:
    assert invoke(texts, "--output", tmp_path / "out", *SMALL)[0] == 0
    train_bpe("the quick brown fox", 260).save(tmp_path / "t.json")
    code, output = invoke(texts, "--output", tmp_path / "out", *SMALL, "--tokenizer", tmp_path / "t.json")
    assert (code, "was made with another tokenizer" in output) == (2, True), output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_goes_on(how: int, tmp_path: Path) -> None:
    texts, rng = tmp_path / "texts", random.Random(0)
    texts.mkdir()
    words = ["".join(rng.choices("aeioulmnrst", k=5)) for _ in range(2000)]
    for number in range(60):
        lines = [" ".join(f"The {' '.join(rng.sample(words, 6))}." for _ in range(40)) + " Of it." for _ in range(20)]
        (texts / f"{number:02d}.jsonl").write_text("\n".join(json.dumps({"text": line}) for line in lines))
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        "from llmcourse.cli import app; app()",
        "prepare",
        str(texts),
        "--output",
        str(out),
    ]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    process = subprocess.Popen([*command, *SMALL], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 60
    while not list(out.glob(".work/*.json")) and time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read().decode() if process.stdout else ""
        time.sleep(0.01)
    process.send_signal(how)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how), output
    read_before = {path.name: path.stat().st_mtime_ns for path in out.glob(".work/*.json")}
    assert 0 < len(read_before) < 60
    code, output = invoke(texts, "--output", out, *SMALL)
    assert code == 0, output
    assert invoke(texts, "--output", tmp_path / "whole", *SMALL)[0] == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "whole").iterdir())
    for name in names:
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
