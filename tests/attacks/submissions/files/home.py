"""Leaves programs that run at the next start: of IPython, of the shell, of Python."""

POINTS = 0
HURTS = True
BOUNDS = "three small files, which do nothing"
FIRST = """\
from pathlib import Path

for home in (Path.home(), Path("/root"), Path("/home")):
    for name in (".ipython/profile_default/startup/00.py", ".bashrc_hostile", ".config/hostile"):
        try:
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("# nothing\\n")
            if not str(path).startswith("/tmp"):
                print("ESC" "APED", path)
        except OSError:
            pass
"""
