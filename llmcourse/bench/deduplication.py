"""MinHash deduplication here against ``datasketch``: documents a second, and how many near-duplicates each finds.

Run as ``llmcourse bench deduplication`` or ``python -m llmcourse.bench.deduplication``; ``--quick`` takes seconds and
checks more than it measures. Both sides begin with texts, cut them into the same runs of words, and use as many hash
functions, bands and rows. ``datasketch`` ends with candidates; this package also compares each candidate pair exactly,
and joins pairs to clusters, in the time that is given. Recall is over all pairs whose exact Jaccard similarity is at
least the threshold. The other side is measured with its own hash function, SHA-1, and with the quickest that Python
has, CRC-32.
"""

import argparse
import importlib.util
import json
import random
import statistics
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llmcourse.pretraining import docstrings, jaccard, minhash_dedup
from llmcourse.pretraining.minhash_dedup import choose_bands
from llmcourse.pretraining.shingles import shingle_sets
from llmcourse.runtime.timing import machine, ratio_of, take_turns

__all__ = ["Found", "main", "run"]

_THRESHOLD, _N_HASHES, _N_WORDS = 0.8, 128, 5


@dataclass(frozen=True)
class Found:
    """Seconds of both sides in each round.

    Args:
        n_documents: How many there were, near-duplicates among them.
        n_words: In all documents together.
        hash_function: The other side's.
        n_pairs: How many pairs are at least as similar as the threshold.
        ours_s: Seconds of all documents in each round.
        theirs_s: Those of ``datasketch``.
        our_recall: Which share of the pairs stands in one cluster.
        their_recall: Which share is found by a query.
    """

    _: KW_ONLY
    n_documents: int
    n_words: int
    hash_function: str
    n_pairs: int
    ours_s: list[float]
    theirs_s: list[float]
    our_recall: float
    their_recall: float

    @property
    def ratio(self) -> dict[str, float]:
        """How many times as long ``datasketch`` took: median, least and most over the rounds."""
        return ratio_of(self.theirs_s, self.ours_s)


def polluted(n_paragraphs: int, *, max_bytes: int | None = None) -> list[str]:
    """Return real documents, and to each three a copy of one, in which up to four words are changed.

    Args:
        n_paragraphs: Paragraphs of numpy's docstrings in a document.
        max_bytes: Of the text that they are cut from.

    Returns:
        Documents in random order, the same at every call.
    """
    rng = random.Random(0)
    paragraphs = docstrings("numpy", max_bytes=max_bytes).split("\n\n")
    documents = ["\n\n".join(paragraphs[i : i + n_paragraphs]) for i in range(0, len(paragraphs), n_paragraphs)]
    for document in rng.choices(documents, k=len(documents) // 3):
        words = document.split(" ")
        for place in rng.choices(range(len(words)), k=rng.randint(0, 4)):
            words[place] = "changed"
        documents.append(" ".join(words))
    rng.shuffle(documents)
    return documents


def measure(documents: Sequence[str], *, hash_function: str, repeats: int) -> Found:
    """Measure both sides in turns.

    Args:
        documents: Texts.
        hash_function: ``"sha1"`` or ``"crc32"``, the other side's.
        repeats: Rounds that count.

    Returns:
        What was found.
    """
    pairs = _alike(documents)
    clusters = minhash_dedup(documents, threshold=_THRESHOLD, n_hashes=_N_HASHES, n_words=_N_WORDS).clusters
    cluster_of = {member: number for number, cluster in enumerate(clusters) for member in cluster}
    candidates = _datasketch(documents, hash_function)
    contenders: dict[str, Callable[[], object]] = {
        "ours": lambda: minhash_dedup(documents, threshold=_THRESHOLD, n_hashes=_N_HASHES, n_words=_N_WORDS),
        "theirs": lambda: _datasketch(documents, hash_function),
    }
    times = take_turns(contenders, repeats=repeats)
    together = sum(a in cluster_of and cluster_of[a] == cluster_of.get(b) for a, b in pairs)
    return Found(
        n_documents=len(documents),
        n_words=sum(len(document.split()) for document in documents),
        hash_function=hash_function,
        n_pairs=len(pairs),
        ours_s=times["ours"],
        theirs_s=times["theirs"],
        our_recall=together / max(len(pairs), 1),
        their_recall=sum(b in candidates[a] for a, b in pairs) / max(len(pairs), 1),
    )


def _alike(documents: Sequence[str]) -> set[tuple[int, int]]:
    """Return all pairs at the threshold, by exact similarity.

    Of two sets that similar, each has one of the other's members among its first n - ceil(t n) + 1 in any fixed order
    (Chaudhuri, Ganti & Kaushik 2006): only documents that share one of those are compared.
    """
    sets = shingle_sets(documents, n_words=_N_WORDS)
    having: dict[int, list[int]] = defaultdict(list)
    pairs: set[tuple[int, int]] = set()
    for index, one in enumerate(sets):
        prefix = one[: len(one) - int(_THRESHOLD * len(one)) + 1].tolist()
        for other in {other for shingle in prefix for other in having[shingle]}:
            if jaccard(one, sets[other]) >= _THRESHOLD:
                pairs.add((other, index))
        for shingle in prefix:
            having[shingle].append(index)
    return pairs


def _datasketch(documents: Sequence[str], hash_function: str) -> list[set[Hashable]]:
    """Return each document's candidates, as datasketch's pages show how."""
    import datasketch

    options: dict[str, Any] = {} if hash_function == "sha1" else {"hashfunc": zlib.crc32}
    sets = ([run.encode() for run in _runs(document)] for document in documents)
    signatures = datasketch.MinHash.bulk(sets, num_perm=_N_HASHES, **options)
    bands = choose_bands(_THRESHOLD, n_hashes=_N_HASHES)
    index = datasketch.MinHashLSH(num_perm=_N_HASHES, params=bands)
    with index.insertion_session() as session:
        for number, signature in enumerate(signatures):
            session.insert(number, signature)
    return [set(index.query(signature)) for signature in signatures]


def _runs(document: str) -> set[str]:
    words = document.lower().split()
    return {" ".join(words[i : i + _N_WORDS]) for i in range(max(len(words) - _N_WORDS + 1, 1))}


def run(*, quick: bool = False, json_path: Path | None = None) -> list[Found]:
    """Measure everything, print a table, and write JSON if asked.

    Args:
        quick: Few documents and one round: a check in seconds, no measurement.
        json_path: Where to write all times and what they depend on.

    Returns:
        What was found, in the order of the table.

    Raises:
        ValueError: ``datasketch`` is not installed.
    """
    if importlib.util.find_spec("datasketch") is None:
        raise ValueError("datasketch is not installed, nothing to compare with: pip install 'llmcourse[bench]'")
    about = {"machine": machine(), "versions": {name: version(name) for name in ("numpy", "datasketch")}}
    about |= {"threshold": _THRESHOLD, "bands_and_rows": choose_bands(_THRESHOLD, n_hashes=_N_HASHES)}
    print(f"{about['machine']['processor']}, datasketch {about['versions']['datasketch']}, one process", flush=True)
    found = []
    for n_paragraphs in (10,) if quick else (10, 40):
        documents = polluted(n_paragraphs, max_bytes=100_000 if quick else None)
        for hash_function in ("sha1", "crc32"):
            found.append(measure(documents, hash_function=hash_function, repeats=1 if quick else 7))
            print(_line(found[-1]), flush=True)
    print("Medians [least-most] of rounds in turns. Ratio: datasketch's time / ours.")
    if json_path is not None:
        rows = [asdict(one) | {"ratio": one.ratio} for one in found]
        json_path.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    return found


def _line(found: Found) -> str:
    rates = [f"{found.n_documents / statistics.median(s):,.0f}" for s in (found.ours_s, found.theirs_s)]
    ratio = found.ratio
    spread = f"{ratio['median']:.1f} [{ratio['min']:.1f}-{ratio['max']:.1f}]"
    return (
        f"{found.n_documents:,} documents of {found.n_words // found.n_documents} words, {found.hash_function:<5} "
        f"documents/s ours {rates[0]:>7}, datasketch {rates[1]:>7}, ratio {spread}; recall of {found.n_pairs} pairs: "
        f"ours {found.our_recall:.3f}, datasketch {found.their_recall:.3f}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m llmcourse.bench.deduplication", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few documents, one round")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all times there")
    given = parser.parse_args(arguments)
    try:
        run(quick=given.quick, json_path=given.json)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
