"""Write a file whole or not at all."""

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    r"""Write a file so that a reader, or a crash, sees the old content or the new, never half.

    Args:
        path: Where; the folder must exist.
        content: All of it.

    Raises:
        OSError: The folder cannot be written to; what stood there before is untouched.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_whole(Path(folder, "a.json"), b"{}")
        ...     [file.name for file in Path(folder).iterdir()]
        ['a.json']
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
