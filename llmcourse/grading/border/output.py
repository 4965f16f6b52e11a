"""What a student's code prints while a test calls it: kept up to a limit, and sent along with the answer."""

import contextlib
import io

__all__ = ["Capture"]


class Capture(contextlib.ExitStack):
    """Keeps what is printed, up to a limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._streams = {"stdout": _Capped(limit), "stderr": _Capped(limit)}

    def __enter__(self) -> "Capture":
        self.enter_context(contextlib.redirect_stdout(self._streams["stdout"]))
        self.enter_context(contextlib.redirect_stderr(self._streams["stderr"]))
        return super().__enter__()

    def take(self) -> list[list[str]]:
        """Return what was printed, by stream."""
        return [[name, stream.getvalue()] for name, stream in self._streams.items() if stream.tell()]


class _Capped(io.StringIO):
    """Text up to a limit; what is beyond it is dropped."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, text: str) -> int:
        """Keep as much as fits."""
        super().write(text[: max(0, self._limit - self.tell())])
        return len(text)
