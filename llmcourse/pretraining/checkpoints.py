"""Checkpoints of a run: whole files or none, so that a run that is killed at any moment can go on."""

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import torch

__all__ = ["latest_checkpoint", "load_checkpoint", "save_checkpoint"]

_NAME = re.compile(r"step-(\d+)\.pt")


def save_checkpoint(state: dict[str, Any], folder: str | Path, step: int, *, keep: int = 2) -> Path:
    r"""Write a checkpoint so that it is either whole or not there, and then remove the oldest.

    It is written under another name, brought to the disk, and renamed, which the file system does in one step. Whatever
    happens on the way, a full disk or the end of the process, the checkpoints of before stay as they were.

    Args:
        state: Tensors, numbers, text, and lists and dictionaries of these.
        folder: Where; it is made if there is none.
        step: How many steps the run has made.
        keep: How many checkpoints stay, this one among them.

    Returns:
        The file.

    Raises:
        ValueError: A number is out of its range; quotes it.
        OSError: It could not be written, for want of space for instance; names the last good one.

    Cost: while it is written, the space of one checkpoint more than ``keep``.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for step in (10, 20, 30):
        ...         path = save_checkpoint({"weight": torch.ones(2)}, folder, step)
        ...     sorted(file.name for file in Path(folder).iterdir()), load_checkpoint(path)["weight"]
        (['step-00000020.pt', 'step-00000030.pt'], tensor([1., 1.]))
    """
    if step < 0 or keep < 1:
        raise ValueError(f"step is {step} and keep {keep}: steps count from 0, and at least 1 checkpoint is kept")
    folder = Path(folder)
    path, partial = folder / f"step-{step:08d}.pt", folder / f".step-{step:08d}.{os.getpid()}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(state, partial)
        partial.replace(path)
        _synchronize(folder)
    # torch reports some failures of the file system as a RuntimeError of its writer.
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        last = latest_checkpoint(folder)
        rest = f"the last good one is {str(last)!r}" if last else "there is none from before"
        raise OSError(
            f"could not write the checkpoint {str(path)!r} ({error}): {rest}; free space and resume"
        ) from error
    for _, old in _checkpoints(folder)[:-keep]:
        old.unlink(missing_ok=True)
    return path


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    r"""Read a checkpoint, to the CPU.

    Args:
        path: What ``save_checkpoint`` returned. Only data is read from it: a file cannot make this process run code.

    Returns:
        The state that was saved.

    Raises:
        ValueError: It is not there, or is no whole checkpoint; quotes it.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"there is no checkpoint {str(path)!r}: look at the names in its folder") from error
    except Exception as error:  # whatever zip files and unpickling raise on damaged data
        raise ValueError(f"{str(path)!r} is no whole checkpoint ({error}): resume from an older one") from error


def latest_checkpoint(folder: str | Path) -> Path | None:
    r"""Return the checkpoint with the most steps in a folder; None where there is none.

    Args:
        folder: It need not exist.

    Returns:
        The file.
    """
    found = _checkpoints(Path(folder))
    return found[-1][1] if found else None


def _checkpoints(folder: Path) -> list[tuple[int, Path]]:
    if not folder.is_dir():
        return []
    matches = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in matches if match)


def _write(state: dict[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def _synchronize(folder: Path) -> None:
    """Bring the folder's names to the disk, too: without it a crash of the machine may undo the renaming."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
