"""The course folder as nbgrader sees it.

``nbgrader generate_assignment``, ``autograde``, ``generate_feedback``, ``export`` and formgrader read this file when
they are started in this folder, and so do ``llmcourse release``, ``grade`` and ``report``: both ways work on the same
files and the same gradebook, and give the same marks.

    solutions/<assignment>/<notebook>.ipynb             what the instructor writes: solutions and hidden tests
    release/<assignment>/<notebook>.ipynb               what a student gets
    submitted/<student>/<assignment>/<notebook>.ipynb   what a student hands in, with timestamp.txt where time counts
    autograded/  feedback/  gradebook.db                what grading makes

An assignment is a folder of ``solutions/``. In JupyterLab, formgrader needs the server to be started here
(``jupyter lab`` in this folder); it is not meant for students.
"""

import os
import sysconfig
from pathlib import Path

from nbgrader.converters import GenerateAssignment

from llmcourse.grading.due import DueDates

c = get_config()  # nbgrader puts it into this file's namespace

c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.course_id = "llmcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
# nbgrader calls the program `alembic`, which stands beside `nbgrader`, also where the environment is not activated.
os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
# SQLite at the root of the course. For several machines: "postgresql://USER:PASSWORD@HOST/DATABASE".
c.CourseDirectory.db_url = f"sqlite:///{Path(__file__).resolve().parent / 'gradebook.db'}"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".llmcourse", "feedback"]

# When an assignment is due: {"01_tokenization": "2027-02-01 23:59:00 UTC"}. It is written into the gradebook when the
# assignment is released. An assignment that is not named keeps what formgrader or `nbgrader db` set.
c.DueDates.dates = {}
c.GenerateAssignment.preprocessors = [*GenerateAssignment.preprocessors.default(), DueDates]

# A late submission is marked as late, and loses nothing: "zero" takes all its points instead. For a rule of your own,
# name a subclass of nbgrader.plugins.LateSubmissionPlugin in c.AssignLatePenalties.plugin_class.
c.LateSubmissionPlugin.penalty_method = "none"

# Seconds for one cell of a submission; the cell is then interrupted, fails, and the next one runs.
c.Execute.timeout = 60
# Without this, every kernel warns that others on the machine could listen.
c.KernelManager.transport_encryption = "auto"
