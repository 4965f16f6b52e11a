"""Damaged notebooks end in a reason, or in the assignment's own cells."""

import logging
from collections import Counter
from functools import cache

import damage as DAMAGE
import jsonschema
import pytest
import released as RELEASED
from nbgrader.api import Gradebook
from nbgrader.preprocessors import overwritecells, overwritekernelspec

from llmcourse.grading import skeleton
from llmcourse.grading.exercise import read_notebook
from llmcourse.grading.submissions import Submission


@pytest.fixture(scope="module")
def bpe(tmp_path_factory):
    return RELEASED.bpe(tmp_path_factory.mktemp("bpe"))


class OpenBook(Gradebook):
    """A gradebook that stays open, and answers the same question once."""

    def __init__(self, url):
        super().__init__(url)
        self.find_source_cell = cache(super().find_source_cell)
        self.find_graded_cell = cache(super().find_graded_cell)

    def __exit__(self, *error):
        """Stay open."""


@pytest.fixture
def fast(bpe, monkeypatch):
    """Spare nbgrader's preprocessors what is the same for each notebook: opening the gradebook, checking its schema."""
    book = OpenBook(bpe.resources["db_url"])
    for module in (skeleton, overwritecells, overwritekernelspec):
        monkeypatch.setattr(module, "Gradebook", lambda url: book)
    monkeypatch.setattr(jsonschema.Draft4Validator, "check_schema", lambda *schema: None)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    book.close()


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("count", [240, pytest.param(1_000, marks=pytest.mark.soak)])
def test_damaged_notebooks_end_in_a_reason_or_in_the_assignments_own_cells(bpe, tmp_path, fast, count):
    honest = bpe.stages(bpe.read())
    path, text = tmp_path / "bpe.ipynb", bpe.released.read_text(encoding="utf-8")
    submission = Submission(student="s", assignment="01_tokenization", folder=tmp_path, expected=("bpe",))
    ends = Counter()
    for seed in range(count):
        kind = DAMAGE.KINDS[seed % len(DAMAGE.KINDS)].__name__
        path.write_bytes(DAMAGE.damaged(text, seed))
        reason = submission.problem()
        if reason is not None:
            assert reason.isprintable(), (seed, kind)
            assert reason.startswith(("bpe.ipynb is ", "bpe.ipynb holds ", "bpe.ipynb: ")), (seed, kind, reason)
            ends[kind, "refused"] += 1
        else:
            assert bpe.stages(read_notebook(path)) == honest, (seed, kind)
            if seed < 60:
                assert RELEASED.marked_cells(bpe.sanitized(path)[0]) == honest[-1], (seed, kind)
            ends[kind, "sound"] += 1
    assert ends.total() == count
    for kind in ("shuffled_cells", "deleted_cells", "duplicated_cells", "changed_marks", "huge_text", "lost_marks"):
        assert not ends[kind, "refused"], kind
    for kind in ("truncated", "merge_conflict", "other_encoding"):
        assert not ends[kind, "sound"], kind


def test_damage_is_the_same_for_the_same_seed(bpe):
    text = bpe.released.read_text(encoding="utf-8")
    seeds = range(len(DAMAGE.KINDS))
    once = [DAMAGE.damaged(text, seed) for seed in seeds]
    assert once == [DAMAGE.damaged(text, seed) for seed in seeds]
    assert sum(data != text.encode() for data in once) >= len(DAMAGE.KINDS) - 1
    assert max(map(len, once)) < 5_000_000
