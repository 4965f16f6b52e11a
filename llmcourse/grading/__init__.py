"""How exercises are released, checked, graded and reported, on the folder and gradebook of nbgrader.

For students: ``check`` runs the visible tests, and remembers progress by ``fingerprint``, what a function's result
depends on; ``failures`` says in words what went wrong and where. ``exercise`` reads a notebook into its functions and
their tests, ``execution`` runs one that is trusted.

For instructors: ``course`` is the folder as nbgrader sees it, ``release`` makes and proves what students get,
``submissions`` and ``intake`` find and look at what they hand in. Under nbgrader's own ``autograde``, ``gate`` and
``sanitize`` come first, and ``judged`` runs what is left: student cells in a kernel of ``zygote``, test cells in a
judge (``judging``, ``border``). ``autograde`` does the same for a class: workers (``pool``, ``worker``, ``parcel``)
run, one ``writer`` marks. ``feedback`` tells the student, ``report`` the instructor.

Nothing here imports torch or, of the course, anything but the sandbox: exercises bring what they need.
"""

import importlib.util
import sys


def _import_jsonschema() -> None:
    """Import jsonschema, which nbformat needs, without the grammar of addresses that it looks for.

    ``rfc3987_syntax`` compiles that grammar when it is imported, which takes a second of every process; no schema of a
    notebook asks for it. Whoever imports it later gets it.
    """
    unwanted = "rfc3987_syntax"
    if "jsonschema" in sys.modules or unwanted in sys.modules or importlib.util.find_spec("jsonschema") is None:
        return
    sys.modules[unwanted] = None  # pyright: ignore[reportArgumentType]  an import of it fails, as if it were not there
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[unwanted]


_import_jsonschema()
