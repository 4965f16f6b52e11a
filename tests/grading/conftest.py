"""The folder is no package: what stands beside the tests is imported by its own name, by worker processes too."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small_course import make_course, make_source


@pytest.fixture
def source():
    return make_source()


@pytest.fixture
def course_folder(tmp_path):
    return make_course(tmp_path / "course")
