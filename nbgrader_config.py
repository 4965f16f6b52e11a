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

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import CheckCellMetadata, Execute, GetGrades

from llmcourse.grading.due import DueDates
from llmcourse.grading.feedback import SafeFeedback
from llmcourse.grading.feedback_markup import InertMarkup
from llmcourse.grading.judged import JudgedExecute
from llmcourse.grading.sanitize import Sanitize

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
# SQLite at the root of the course. For several machines: "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE".
c.CourseDirectory.db_url = f"sqlite:///{Path(__file__).resolve().parent / 'gradebook.db'}"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".llmcourse", "feedback"]

# When an assignment is due: {"01_tokenization": "2027-02-01 23:59:00 UTC"}. It is written into the gradebook when the
# assignment is released. An assignment that is not named keeps what formgrader or `nbgrader db` set.
c.DueDates.dates = {}
c.GenerateAssignment.preprocessors = [*GenerateAssignment.preprocessors.default(), DueDates]

# A late submission is marked as late, and loses nothing: "zero" takes all its points instead. For a rule of your own,
# name a subclass of nbgrader.plugins.LateSubmissionPlugin in c.AssignLatePenalties.plugin_class.
c.LateSubmissionPlugin.penalty_method = "none"

# A submission is rebuilt on the assignment's own cells, with the answers in them, which leaves nothing for nbgrader's
# own five to do; then it runs in a sandbox, with its tests in a process of their own.
c.Autograde.sanitize_preprocessors = [Sanitize]
# Submissions that hold links, special files or far too much are left out before nbgrader copies them.
c.Autograde.exporter_class = "llmcourse.grading.gate.Gate"
c.Autograde.autograde_preprocessors = [
    JudgedExecute if item is Execute else item
    for item in Autograde.autograde_preprocessors.default()
    if item is not CheckCellMetadata
]
# What a submission may use, for instance {"cell_s": 10, "memory_bytes": 1_000_000_000}; llmcourse.grading.limits names
# them all. An assignment's notebook may set its own, in its metadata.
c.JudgedExecute.limits = {}
# Modules that are imported once instead of once for each submission, where an assignment imports them.
c.JudgedExecute.preload = ["matplotlib.pyplot", "numpy", "regex", "scipy", "torch"]
# On a machine without bubblewrap nothing is graded. True runs submissions there with limits alone: they can read and
# write whatever you can. Never as root.
c.JudgedExecute.accept_unisolated = False

# Feedback begins with a summary, and holds no hidden test, no path of yours, and no markup that a submission brings.
c.GenerateFeedback.preprocessors = [GetGrades, SafeFeedback, CSSHTMLHeaderPreprocessor]
# Formgrader shows you submissions without the scripts that they may hold.
c.HTMLExporter.preprocessors = [InertMarkup]

# Without this, every kernel warns that others on the machine could listen.
c.KernelManager.transport_encryption = "auto"
