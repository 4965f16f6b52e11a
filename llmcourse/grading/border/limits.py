"""What may cross the border at most, and the two errors that a crossing ends in."""

from dataclasses import dataclass

__all__ = ["BorderError", "Limits", "StudentError", "StudentExit"]


class BorderError(RuntimeError):
    """Something did not cross the border; the message says what, in words for the student."""


class StudentError(Exception):
    """An exception whose type only the student's process knows; its class is named like that type."""


class StudentExit(StudentError):
    """The student's code asked to end the process: it raised ``SystemExit`` or the like."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one border. They are enforced where a message is received, before memory is taken for it.

    Sizes are per message, ``handles`` is per session. A value that is larger than this is no answer to an exercise.
    """

    header_bytes: int = 8 << 20
    frame_bytes: int = 256 << 20
    buffers: int = 20_000
    depth: int = 100
    elements: int = 2_000_000
    digits: int = 10_000
    handles: int = 20_000
    iterations: int = 1_000_000
    callback_depth: int = 16
    call_s: float = 60.0
    decode_s: float = 5.0
    grace_s: float = 1.0
    output_chars: int = 100_000
