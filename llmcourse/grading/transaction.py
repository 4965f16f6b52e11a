"""What nbgrader does to the gradebook in many steps, done in one transaction.

nbgrader opens the gradebook afresh in each of its steps, nine times a submission, and commits after every cell. A
grader that is killed between two of these commits leaves half of a submission's marks; and as each opening makes a new
SQLAlchemy engine, each compiles its queries again. In a :func:`transaction` all of them work on one connection: what
they commit is seen by the next of them at once, and by everybody else when the transaction ends, or never.

nbgrader has no place where an engine could be handed in (``Gradebook.__init__`` calls ``create_engine``, also from
inside the preprocessors), so both are replaced while a transaction lasts. The first gradebook of a transaction is still
opened by nbgrader's own ``__init__``, which makes missing tables and the course; that takes 10 ms, so the others join
it. Nothing else is patched, and outside of a transaction nothing is. A process can have one transaction at a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import nbgrader.api
from nbgrader.api import Gradebook
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import scoped_session, sessionmaker

__all__ = ["GradebookError", "transaction"]

# How long SQLite waits for another program that writes; formgrader's writes take milliseconds.
_BUSY_S = 5
_engines: dict[str, Engine] = {}


class GradebookError(RuntimeError):
    """The gradebook cannot be used now: locked, full, restarted, out of reach. Nothing of the transaction is kept."""

    @classmethod
    def behind(cls, error: BaseException | None) -> "GradebookError | None":
        """Find in an exception, or in one that it followed, that the database and not the statement is at fault.

        Args:
            error: Any exception; nbgrader turns some of its database's into ``InvalidEntry`` or ``NbGraderException``.

        Returns:
            An exception that says what the database said; None where that is not the reason.
        """
        while error is not None:
            if isinstance(error, (OperationalError, InterfaceError)):
                return cls(str(error.orig).strip())
            error = error.__cause__ or error.__context__
        return None


class _Joined(Connection):
    """A connection that stands where nbgrader expects an engine, and outlives its ``close``."""

    def dispose(self) -> None:
        pass


@contextmanager
def transaction(url: str, *, keep: bool = True) -> Iterator[None]:
    """Make one transaction of all that nbgrader writes into a gradebook inside the block.

    An exception that leaves the block takes everything back.

    Args:
        url: The gradebook's; nbgrader must open no other one inside.
        keep: Whether to keep what is written; otherwise it is taken back in any case.

    Yields:
        Nothing.

    Raises:
        GradebookError: The database cannot be used.
    """
    try:
        with _Joined(_engine(url)) as connection, connection.begin() as outer, _opened_on(connection):
            yield
            if not keep:
                outer.rollback()
    except Exception as error:
        if not isinstance(error, GradebookError) and (fault := GradebookError.behind(error)) is not None:
            raise fault from error
        raise


@contextmanager
def _opened_on(connection: Connection) -> Iterator[None]:
    """Have every gradebook that is opened inside work on one connection."""
    engine, opened = nbgrader.api.create_engine, Gradebook.__init__
    courses: set[str] = set()

    def join(self: Gradebook, db_url: str, course_id: str = "default_course", authenticator: Any = None) -> None:
        if course_id not in courses:
            opened(self, db_url, course_id, authenticator)
            courses.add(course_id)
            return
        joined: Any = connection
        self.engine, self.course_id, self.authenticator = joined, course_id, authenticator
        self.db = scoped_session(sessionmaker(autoflush=True, bind=connection, future=True))

    nbgrader.api.create_engine = lambda *_arguments, **_options: connection
    Gradebook.__init__ = join
    try:
        yield
    finally:
        nbgrader.api.create_engine, Gradebook.__init__ = engine, opened


def _engine(url: str) -> Engine:
    if url not in _engines:
        if url.startswith("sqlite"):
            _engines[url] = engine = create_engine(url, connect_args={"timeout": _BUSY_S})
            event.listen(engine, "connect", _leave_beginning)
            event.listen(engine, "begin", _begin)
        else:  # a server that was restarted since the last submission is noticed before anything is sent to it
            _engines[url] = create_engine(url, pool_pre_ping=True)
    return _engines[url]


def _leave_beginning(connection: Any, _record: Any) -> None:
    """Keep Python's module from beginning a transaction where it thinks fit."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    """Wait for other writers before the first statement, not in the middle."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
