"""What is wrong with a submission, before anything is run."""

from datetime import datetime
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook, writes_json

from llmcourse.grading.submissions import Submission


@pytest.fixture
def submission(tmp_path):
    """Return a function that makes a submission of files to an assignment of two notebooks."""

    def make(**files):
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        return Submission(student="s", assignment="a", folder=tmp_path, expected=("one", "two"))

    return make


NOTEBOOK = writes_json(new_notebook())


def test_a_whole_submission_has_no_problem(submission):
    whole = submission(one__ipynb=NOTEBOOK, two__ipynb=NOTEBOOK)
    assert whole.problem() is None
    assert whole.missing() == []


def test_a_notebook_less_is_no_problem_but_missing(submission):
    part = submission(two__ipynb=NOTEBOOK)
    assert part.problem() is None
    assert part.missing() == ["one"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no notebook: one.ipynb, two.ipynb is expected, and there is nothing"),
        ({"one__py": "x"}, "and there is one.py"),
        ({"one__ipynb": NOTEBOOK, "Two__ipynb": NOTEBOOK}, "it holds Two.ipynb where two.ipynb is expected"),
        ({"one__ipynb": NOTEBOOK, "two__ipynb": ""}, "two.ipynb is empty"),
        ({"one__ipynb": NOTEBOOK, "two__ipynb": NOTEBOOK[:-5]}, "two.ipynb is not valid JSON"),
        ({"one__ipynb": NOTEBOOK, "timestamp__txt": "at noon"}, "timestamp.txt: 'at noon' is no date; write"),
        ({"one__ipynb": NOTEBOOK, "timestamp__txt": "2027-02-01 18:00:00 +0200"}, "an offset that nbgrader misreads"),
    ],
)
def test_a_problem_is_told_in_words(submission, files, says):
    assert says in submission(**files).problem()


def test_extra_notebooks_beside_the_expected_ones_do_no_harm(submission):
    assert submission(one__ipynb=NOTEBOOK, two__ipynb=NOTEBOOK, scratch__ipynb=NOTEBOOK).problem() is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2027-02-01 18:00:00 UTC\n", datetime(2027, 2, 1, 18)),  # naive, as nbgrader keeps UTC
        ("2027-02-01T18:00:00+02:00", datetime(2027, 2, 1, 16)),
        ("2027-02-01T18:00:00", datetime(2027, 2, 1, 18)),
        ("", None),
    ],
)
def test_times_are_read_as_nbgrader_reads_them(submission, text, time):
    assert submission(timestamp__txt=text).timestamp() == time


def test_the_digest_follows_content_and_names(submission, tmp_path):
    digests = {submission(one__ipynb=NOTEBOOK).digest(), submission(one__ipynb=NOTEBOOK).digest()}
    assert len(digests) == 1
    digests.add(submission(one__ipynb=NOTEBOOK + " ").digest())
    Path(tmp_path / "one.ipynb").rename(tmp_path / "two.ipynb")
    digests.add(submission().digest())
    assert len(digests) == 3
