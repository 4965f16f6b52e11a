"""The files that were handed in beside a notebook, packed for the kernel in which it runs.

Regular files only, in the order of their names as far as they fit; the kernel gets copies, so that nothing that it does
to them is seen outside.
"""

import contextlib
import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["packed_files"]

_FILES_BYTES = 32 << 20


@contextlib.contextmanager
def packed_files(folder: str | None) -> Iterator[int | None]:
    """Pack the files beside a notebook for the kernel's own folder.

    Args:
        folder: The submission's; None for no files.

    Yields:
        A descriptor of a tar file; None where there is nothing to pack.
    """
    found, room = [], _FILES_BYTES
    for path in sorted(Path(folder).rglob("*")) if folder else ():
        if path.is_file() and not path.is_symlink() and path.suffix != ".ipynb" and path.name != "timestamp.txt":
            room -= path.stat().st_size
            if room >= 0:
                found.append(path)
    if not found:
        yield None
        return
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for path in found:
                data = path.read_bytes()
                info = tarfile.TarInfo(str(path.relative_to(folder)))
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        file.seek(0)
        yield file.fileno()
