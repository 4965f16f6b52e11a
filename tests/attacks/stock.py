"""What the attacks get from nbgrader as it comes, beside what they get from this course's grading; prints a table.

    python tests/attacks/stock.py > attacks.md

Attacks that could hurt the machine are left out: stock nbgrader runs them as whoever grades. Each of the others is
graded in a copy of the course of its own, with a home of its own. It takes about five seconds an attack. The second
column is what the tests hold this course's grading to, and ``make test`` proves it.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from arena import Canaries, honest, llmcourse, make_course, marks, told, triggers
from hostile import SECRETS, Attack, attacks, hand_in

CELL_S = 10
GRADING_S = 180
CONFIGURATION = f"""
c = get_config()
c.CourseDirectory.root = "@ROOT@"
c.CourseDirectory.course_id = "llmcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.db_url = "sqlite:///@ROOT@/gradebook.db"
c.CourseDirectory.ignore = ["feedback"]
c.Execute.timeout = {CELL_S}
"""


@dataclass(frozen=True)
class Row:
    """One attack: what an honest grader gives, what stock nbgrader gave, and what else the attack did there."""

    layer: str
    name: str
    tries: str
    honest: float
    stock: float | None
    beside: str

    @property
    def succeeds(self) -> bool:
        """Whether stock nbgrader was got the better of."""
        return bool(self.beside) or (self.stock is not None and self.stock > self.honest)


def rows(chosen: list[Attack], folder: Path) -> Iterator[Row]:
    """Yield what became of each attack; each is graded in a copy of one released course."""
    base = make_course(folder / "base")
    subprocess.run(llmcourse("release", "--course", str(base)), check=True, stdout=sys.stderr)
    honest(base)
    with Canaries(folder / "marks") as canaries:
        for attack in chosen:
            course = shutil.copytree(base, folder / "course", symlinks=True)
            (course / "nbgrader_config.py").write_text(CONFIGURATION.replace("@ROOT@", str(course)))
            hand_in(attack, course, canaries.places)
            tests = _files(course / "solutions")
            why = _grade(attack, course, folder / "home")
            # stock nbgrader shows the hidden test that failed to everybody, which is no attack's doing
            beside = [
                *sorted(told(course, attack) - {"hidden test"}),
                *_changed(attack, course, tests, canaries.heard()),
            ]
            points = None if why else _points(course, attack)
            yield Row(attack.layer, attack.name, attack.tries, attack.points, points, "; ".join(beside))
            shutil.rmtree(course)


def _points(course: Path, attack: Attack) -> float | None:
    try:
        return marks(course).get((attack.student, attack.assignment))
    except Exception as error:  # the attack may have got at the database
        print(attack.student, error, file=sys.stderr)
        return None


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _changed(attack: Attack, course: Path, tests: dict[str, bytes], heard: str) -> Iterator[str]:
    if attack.student in heard:
        yield "reached a file or a listener outside"
    if _files(course / "solutions") != tests:
        yield "changed the tests"
    if "autograde_preprocessors" in (course / "nbgrader_config.py").read_text():
        yield "changed the configuration"
    if triggers(course):
        yield "changed the gradebook"


def _grade(attack: Attack, course: Path, home: Path) -> str:
    """Grade one submission as an instructor would; returns why that failed."""
    home.mkdir(exist_ok=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"HOME": str(home), "PATH": path, "HOSTILE_SECRET": SECRETS["environment"]}
    nbgrader = [sys.executable, "-m", "nbgrader"]
    grader = subprocess.Popen(
        [*nbgrader, "autograde", attack.assignment, "--student", attack.student, "--create"],
        cwd=course,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return "" if grader.wait(GRADING_S) == 0 else f"exit code {grader.returncode}"
    except subprocess.TimeoutExpired:
        os.killpg(grader.pid, signal.SIGKILL)
        grader.wait()
        return "it did not end"


def table(found: list[Row]) -> str:
    """Return the table in Markdown."""
    lines = ["| layer | attack | honest | stock nbgrader | here |", "|---|---|---|---|---|"]
    for row in found:
        stock = "no mark" if row.stock is None else f"{row.stock:g}"
        stock = f"**{stock}**" if row.succeeds else stock
        beside = f" ({row.beside})" if row.beside else ""
        lines.append(f"| {row.layer} | {row.tries} | {row.honest:g} | {stock}{beside} | {row.honest:g} |")
    won = sum(row.succeeds for row in found)
    return "\n".join([*lines, "", f"{won} of {len(found)} succeed under stock nbgrader."])


def main() -> None:
    """Print the table for the attacks whose names are given, or for all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="layer/name; all that cannot hurt the machine if none is given")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    options = parser.parse_args()
    chosen = [attack for attack in attacks() if not attack.hurts]
    if options.names:
        chosen = [attack for attack in chosen if f"{attack.layer}/{attack.name}" in options.names]
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        found = []
        for row in rows(chosen, Path(folder)):
            print(f"{row.layer}/{row.name}: {row.stock} {row.beside}", file=sys.stderr, flush=True)
            found.append(row)
    as_json = json.dumps([{**asdict(row), "succeeds": row.succeeds} for row in found], indent=1)
    print(as_json if options.json else table(found))


if __name__ == "__main__":
    main()
