"""Due dates from ``nbgrader_config.py`` into the gradebook.

nbgrader 0.9 keeps due dates in the gradebook only, where nobody can review them. This preprocessor, named in the
configuration among those of ``GenerateAssignment``, writes them there whenever an assignment is released.
"""

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc
from traitlets import Dict

__all__ = ["DueDates"]


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
            due = parse_utc(date)
        except (ValueError, OverflowError, TypeError) as error:
            raise ValueError(
                f"c.DueDates.dates[{assignment!r}] is {date!r}, which is no date; write '2027-02-01 23:59:00 UTC'"
            ) from error
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            try:
                gradebook.find_assignment(assignment).duedate = due
                gradebook.db.commit()
            except MissingEntry:  # released with --no-db: there is nothing to date
                self.log.debug("%s is not in the gradebook; its due date is not recorded", assignment)
        return nb, resources
