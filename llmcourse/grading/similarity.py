"""Which submissions resemble each other more than chance explains, for a person to judge.

Each function's answer is compared by the share of runs of tokens that two have in common (the Jaccard index of their
shingles, :mod:`llmcourse.grading.similarity_tokens`). What the released notebook holds counts for nothing, nor does
what a tenth of the class writes, and more than ten: that is how the exercise wants to be solved, or was taught. Answers
of which little is left then are too short to tell a copy from a coincidence, and are not compared.

Pairs are found by MinHash and locality-sensitive hashing (datasketch), so that the cost grows with the number of
submissions and of similar pairs, not with that of all pairs; found pairs are then compared exactly. Similar code is no
proof of copying, and an answer that many of a class have copied counts as what many write: pass rates show that one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log2

from datasketch import MinHash, MinHashLSH

from llmcourse.grading.similarity_tokens import shingles

__all__ = ["Pair", "SimilarFunction", "similar_pairs"]

# Share of common runs from which two answers are listed. Of answers to the course's first exercise that were written
# independently none have more than 0.15 in common; one that was copied, renamed and edited has 0.6.
THRESHOLD = 0.5
# Runs of tokens that an answer must have beside what is common: about four statements.
LEAST = 20
COMMON_SUBMISSIONS, COMMON_SHARE = 10, 0.1

_PERMUTATIONS = 128
# Candidates are taken from a little below, since MinHash only estimates.
_CANDIDATE_THRESHOLD = 0.4


@dataclass(frozen=True, kw_only=True)
class SimilarFunction:
    """A function that two students answered alike: what share of their runs of tokens is common, from 0 to 1."""

    name: str
    similarity: float


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two submissions to be looked at side by side.

    Attributes:
        first: A student.
        second: Another, later in the alphabet.
        functions: What they answered alike.
        weight: How much that says, in bits: long and rare code says more.
    """

    first: str
    second: str
    functions: tuple[SimilarFunction, ...]
    weight: float


def similar_pairs(answers: Mapping[str, Mapping[str, str]], released: Mapping[str, str]) -> tuple[Pair, ...]:
    """Find submissions that resemble each other.

    Args:
        answers: The code of each student, by function and student.
        released: The code that students were given, by function.

    Returns:
        Pairs, those that say most first.
    """
    functions: dict[tuple[str, str], list[SimilarFunction]] = defaultdict(list)
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for name, codes in answers.items():
        given = shingles(released.get(name, ""))
        rare, frequency = _rare({student: shingles(code) - given for student, code in sorted(codes.items())})
        for first, second in _candidates(rare):
            common = rare[first] & rare[second]
            similarity = len(common) / len(rare[first] | rare[second])
            if similarity >= THRESHOLD:
                functions[first, second].append(SimilarFunction(name=name, similarity=similarity))
                weights[first, second] += sum(log2((len(codes) + 1) / frequency[run]) for run in common)
    pairs = (
        Pair(first=first, second=second, functions=tuple(found), weight=weights[first, second])
        for (first, second), found in functions.items()
    )
    return tuple(sorted(pairs, key=lambda pair: (-pair.weight, pair.first, pair.second)))


def _rare(found: Mapping[str, frozenset[int]]) -> tuple[dict[str, frozenset[int]], Counter[int]]:
    """Return what each student has beside what many write, where that is enough to compare, and its frequencies."""
    frequency = Counter(run for runs in found.values() for run in runs)
    most = max(COMMON_SUBMISSIONS, COMMON_SHARE * len(found))
    rare = {student: frozenset(run for run in runs if frequency[run] <= most) for student, runs in found.items()}
    return {student: runs for student, runs in rare.items() if len(runs) >= LEAST}, frequency


def _candidates(rare: Mapping[str, frozenset[int]]) -> Iterator[tuple[str, str]]:
    """Yield pairs that are probably similar, each once, the names of a pair in order."""
    index = MinHashLSH(threshold=_CANDIDATE_THRESHOLD, num_perm=_PERMUTATIONS)
    for student, runs in rare.items():
        sketch = MinHash(num_perm=_PERMUTATIONS, hashfunc=int)  # the runs are hashes already
        sketch.update_batch(sorted(runs))
        for other in sorted(map(str, index.query(sketch))):
            yield other, student
        index.insert(student, sketch)
