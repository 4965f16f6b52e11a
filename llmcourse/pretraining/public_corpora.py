"""Public corpora: streamed from the Hugging Face hub when they are asked for, and never otherwise."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import Any

__all__ = ["fineweb_edu", "tiny_stories"]

_OFFLINE = (
    "these corpora need no network: documentation(), docstrings('numpy'), source_code(), human_rights() and "
    "SyntheticLanguage, all of llmcourse.pretraining; llmcourse prepare takes files of your own"
)


def tiny_stories(
    *, split: str = "train", max_documents: int | None = None, revision: str | None = None
) -> Iterator[str]:
    r"""Stream TinyStories: short stories in the words of a small child, written by GPT-3.5 and GPT-4.

    Eldan & Li 2023 (arXiv:2305.07759); the hub's ``roneneldan/TinyStories``, 2.1 million stories.

    Args:
        split: ``"train"`` or ``"validation"``.
        max_documents: Stop after so many; None for all.
        revision: A commit of the data set, for results that must be the same next year.

    Returns:
        Stories, loaded as they are taken.

    Raises:
        ValueError: There is no such split, or less than no document; quotes it.
        ImportError: ``datasets`` is not installed; names the corpora that do without.
        ConnectionError: The hub cannot be reached, before the first story or later; names them too.
    """
    if split not in ("train", "validation"):
        raise ValueError(f"split is {split!r}: choose 'train' or 'validation'")
    return _stream("roneneldan/TinyStories", max_documents, split=split, revision=revision)


def fineweb_edu(
    *, subset: str = "sample-10BT", max_documents: int | None = None, revision: str | None = None
) -> Iterator[str]:
    r"""Stream FineWeb-Edu: pages of CommonCrawl that a classifier found educational.

    Penedo et al. 2024 (arXiv:2406.17557, section 4); the hub's ``HuggingFaceFW/fineweb-edu``.

    Args:
        subset: ``"sample-10BT"``, ``"sample-100BT"`` or ``"sample-350BT"``, or one crawl, ``"CC-MAIN-2024-10"`` for
            instance; ``"default"`` is all, 1.3 trillion tokens.
        max_documents: Stop after so many; None for all.
        revision: A commit of the data set, for results that must be the same next year.

    Returns:
        Pages, loaded as they are taken.

    Raises:
        ValueError: Less than no document is asked for; quotes it.
        ImportError: ``datasets`` is not installed; names the corpora that do without.
        ConnectionError: The hub cannot be reached, before the first page or later; names them too.
    """
    return _stream("HuggingFaceFW/fineweb-edu", max_documents, name=subset, split="train", revision=revision)


def _stream(path: str, max_documents: int | None, **options: Any) -> Iterator[str]:
    """Ask for what a generator would ask for too late: it raises when the corpus is named, not when it is read."""
    if max_documents is not None and max_documents < 0:
        raise ValueError(f"max_documents is {max_documents}: it is at least 0, or None for all")
    try:
        load_dataset = import_module("datasets").load_dataset  # not in the course's own environment
    except ImportError as error:
        raise ImportError(
            f"{path!r} is streamed by the package datasets: pip install 'llmcourse[streaming]'; {_OFFLINE}"
        ) from error
    try:
        rows = load_dataset(path, streaming=True, **options)
    except Exception as error:  # the clients below it raise whatever they like: httpx's errors, OSError, their own
        raise _unreachable(path, 0, error) from error
    return islice(_texts(path, rows), max_documents)


def _texts(path: str, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    number, reader = 0, iter(rows)
    while True:
        try:
            text = next(reader)["text"]
        except StopIteration:
            return
        except Exception as error:
            raise _unreachable(path, number, error) from error
        yield text
        number += 1


def _unreachable(path: str, number: int, error: Exception) -> ConnectionError:
    cause = f"{type(error).__name__}: {error}"
    return ConnectionError(f"{path!r} could not be read from the hub after {number} documents ({cause}); {_OFFLINE}")
