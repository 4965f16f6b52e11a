"""Due dates from ``nbgrader_config.py`` into the gradebook.

nbgrader 0.9 keeps due dates in the gradebook only, where nobody can review them. This preprocessor, named in the
configuration among those of ``GenerateAssignment``, writes them there whenever an assignment is released.
"""

from datetime import datetime

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc
from traitlets import Dict

__all__ = ["DueDates", "parse_time"]


def parse_time(text: str) -> datetime:
    """Read a time as nbgrader does.

    Args:
        text: A date and time, in UTC where it names no zone.

    Returns:
        The time in UTC, without a zone, as the gradebook keeps it.

    Raises:
        ValueError: It is no time, or nbgrader would misread it: of "18:00:00 +0200", with a space before the offset,
            nbgrader 0.9.6 makes 200 seconds.

    Example:
        >>> parse_time("2027-02-01 18:00:00 UTC"), parse_time("2027-02-01T18:00:00+02:00")
        (datetime.datetime(2027, 2, 1, 18, 0), datetime.datetime(2027, 2, 1, 16, 0))
    """
    words = text.split()
    if len(words) == 3 and words[2].lstrip("+-").strip("0").isdigit():
        raise ValueError(f"{text!r} has an offset that nbgrader misreads; write 2027-02-01T18:00:00+02:00, or UTC")
    try:
        return parse_utc(text.strip())
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{text[:60]!r} is no date; write 2027-02-01 18:00:00 UTC") from error


class DueDates(NbGraderPreprocessor):
    """Write the due date of an assignment into the gradebook when it is released."""

    dates = Dict(
        help="When an assignment is due, by its name: '2027-02-01 23:59:00 UTC'; None takes the date away"
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Write the date of this notebook's assignment, where the configuration names one.

        Args:
            nb: The notebook that is released; it is left as it is.
            resources: What nbgrader knows of it: the assignment's name and the gradebook's address.

        Returns:
            Both arguments, unchanged.

        Raises:
            ValueError: The configured date is none.
        """
        assignment = resources["nbgrader"]["assignment"]
        if assignment not in self.dates:
            return nb, resources
        date = self.dates[assignment]
        try:
            due = None if date is None else parse_time(date)
        except ValueError as error:
            raise ValueError(f"c.DueDates.dates[{assignment!r}]: {error}") from error
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            try:
                gradebook.find_assignment(assignment).duedate = due
                gradebook.db.commit()
            except MissingEntry:  # released with --no-db: there is nothing to date
                self.log.debug("%s is not in the gradebook; its due date is not recorded", assignment)
        return nb, resources
