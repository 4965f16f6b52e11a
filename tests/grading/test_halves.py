"""Which preprocessors belong to workers, and which to the writer."""

import pytest
from nbgrader.converters import Autograde
from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, Execute, LimitOutput, SaveAutoGrades

from llmcourse.grading.course import Course
from llmcourse.grading.halves import Executing, Marking
from llmcourse.grading.marks import SaveMarks


class OwnMarks(SaveAutoGrades):
    pass


class AfterMarks(LimitOutput):
    pass


@pytest.mark.parametrize(
    ("configured", "executing"),
    [
        ([Execute, LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata], [0, 1, 4]),
        ([Execute, OwnMarks, AfterMarks], [0]),
        (["nbgrader.preprocessors.Execute", "nbgrader.preprocessors.SaveAutoGrades", CheckCellMetadata], [0, 2]),
        ([Execute, LimitOutput], [0, 1]),
        ([], []),
    ],
)
def test_each_runs_in_one_half_and_in_order(course_folder, configured, executing):
    course = Course(course_folder)
    course.config.Autograde.autograde_preprocessors = configured
    given = {"coursedir": course.directory, "config": course.config}
    first, second = Executing(expected=(), executed={}, **given), Marking(executed={}, **given)
    assert first.autograde_preprocessors == [configured[i] for i in executing]
    rest = [entry for i, entry in enumerate(configured) if i not in executing]
    ours = {SaveAutoGrades: SaveMarks, "nbgrader.preprocessors.SaveAutoGrades": SaveMarks}
    rest = [ours.get(entry, entry) for entry in rest]
    assert second.autograde_preprocessors == rest


def test_all_of_nbgraders_own_are_run(course_folder):
    course = Course(course_folder)
    given = {"coursedir": course.directory}
    both = Executing(expected=(), executed={}, **given).autograde_preprocessors
    both += Marking(executed={}, **given).autograde_preprocessors
    wanted = [SaveMarks if entry is SaveAutoGrades else entry for entry in Autograde.autograde_preprocessors.default()]
    assert sorted(map(str, both)) == sorted(map(str, wanted))
