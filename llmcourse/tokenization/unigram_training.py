"""Training a unigram vocabulary: seed, expectation maximisation, pruning, as SentencePiece does it.

Kudo 2018 (arXiv:1804.10959), section 3.2:

1. :func:`llmcourse.tokenization.unigram_seed.seed_pieces` takes far too many frequent substrings as a first vocabulary;
2. expectation maximisation fits their probabilities: the E step counts how often each piece is used on average over
   all segmentations of all words (:meth:`CorpusLattice.expected_counts`), the M step makes probabilities of the counts
   (:func:`maximize`);
3. :func:`prune` removes the pieces whose loss would lower the corpus's likelihood least, and 2 follows again, until
   the vocabulary is as small as was asked for. Single characters always stay, so that every text can be cut.

The corpus is a table of distinct words with their frequencies, since no piece reaches across a space.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from llmcourse.tokenization.corpus_lattice import CorpusLattice
from llmcourse.tokenization.unigram_seed import required_characters, seed_pieces

__all__ = ["TrainingSettings", "digamma", "maximize", "prune", "train_pieces"]

# The M step drops pieces that are expected fewer times than this, which is SentencePiece's constant too.
_LEAST_COUNT = 0.5
# The last EM steps run on a vocabulary this much larger than asked for; the highest scores are kept of it.
_HEADROOM = 1.1
# In characters; longer words are cut, in training only.
_LONGEST_WORD = 1000


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    r"""How :func:`train_pieces` works; the defaults are SentencePiece's.

    Args:
        character_coverage: The share of the corpus's characters, from 0 to 1, that must have a piece of their own;
            the rarest characters beyond it are left to ``<unk>`` or to bytes.
        max_piece_length: The longest piece, in characters, the space mark included.
        seed_size: The largest first vocabulary, in pieces.
        shrink: The share of the pieces that one round of pruning keeps.
        em_steps: EM steps between two rounds of pruning.
        split_by_script: No piece mixes Latin letters with Greek, or letters with digits or punctuation.
        sparse: Whether :func:`maximize` uses the digamma function.

    Raises:
        ValueError: A setting is outside its range.
    """

    character_coverage: float = 0.9995
    max_piece_length: int = 16
    seed_size: int = 1_000_000
    shrink: float = 0.75
    em_steps: int = 2
    split_by_script: bool = True
    sparse: bool = True

    def __post_init__(self) -> None:
        for name in ("max_piece_length", "seed_size", "em_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not 0 < self.character_coverage <= 1:
            raise ValueError(f"character_coverage={self.character_coverage} must be in (0, 1]: it is a share")
        if not 0 < self.shrink < 1:
            raise ValueError(f"shrink={self.shrink} must be between 0 and 1: it is the share that pruning keeps")


def train_pieces(
    words: Mapping[str, int],
    size: int,
    settings: TrainingSettings | None = None,
    *,
    reserved: Collection[str] = (),
) -> dict[str, float]:
    r"""Fit a unigram vocabulary to words.

    Args:
        words: Distinct words with their frequencies. A space mark may stand at a word's beginning only.
        size: The number of pieces to end with.
        settings: How to train.
        reserved: Strings that must not become pieces.

    Returns:
        Each piece with its log-probability in nats, best first. With ``sparse`` the probabilities sum to a little
        less than 1 (see :func:`maximize`).

    Raises:
        ValueError: There are no words, or ``size`` is below the number of characters or above what the words support.

    Cost: each EM step visits every edge of every distinct word's lattice once; 50 to 100 ns each were measured on one
    CPU core.

    Example:
        >>> words = ["low", "lower", "lowest", "new", "newer", "newest", "wide", "wider", "widest", "old", "oldest"]
        >>> pieces = train_pieces(dict.fromkeys(words, 1), 14)
        >>> sorted(piece for piece in pieces if len(piece) > 1)
        ['est', 'low', 'new', 'wide']
    """
    settings = settings or TrainingSettings()
    characters = required_characters(words, settings.character_coverage)
    if size < len(characters):
        raise ValueError(
            f"{size} pieces cannot hold the {len(characters)} distinct characters of the corpus, which must all stay:"
            f" raise vocab_size, or lower character_coverage={settings.character_coverage}"
        )
    words = _cut_at_rare_characters(words, set(characters))
    seed = seed_pieces(
        words,
        characters,
        max_length=settings.max_piece_length,
        size=settings.seed_size,
        split_by_script=settings.split_by_script,
        reserved=reserved,
    )
    return _shrink(words, seed, size, len(characters), settings)


def _shrink(
    words: Mapping[str, int], seed: Mapping[str, int], size: int, characters: int, settings: TrainingSettings
) -> dict[str, float]:
    # EM and pruning by turns; the characters are the first pieces of the seed and stay so.
    texts: list[str] = sorted(words, key=lambda word: (-len(word), word))
    frequencies = np.array([words[word] for word in texts], dtype=np.float64)
    pieces, scores = list(seed), np.log(np.array(list(seed.values())) / sum(seed.values()))
    lattice, least = CorpusLattice.build(texts, pieces), max(int(size * _HEADROOM), characters)
    while True:
        for _ in range(settings.em_steps):
            counts, _ = lattice.expected_counts(scores, frequencies)
            kept = (counts >= _LEAST_COUNT) | (np.arange(len(pieces)) < characters)
            pieces, lattice = [pieces[i] for i in np.flatnonzero(kept)], lattice.restrict(kept)
            scores = maximize(np.maximum(counts[kept], _LEAST_COUNT), sparse=settings.sparse)
        if len(pieces) <= least:
            return _take_best(pieces, scores, size, characters)
        most = max(least, int(len(pieces) * settings.shrink))
        kept = prune(lattice, pieces, scores, frequencies, least=least, most=most)
        pieces, scores, lattice = [pieces[i] for i in np.flatnonzero(kept)], scores[kept], lattice.restrict(kept)


def maximize(counts: Float[np.ndarray, " P"], *, sparse: bool = True) -> Float[np.ndarray, " P"]:
    r"""The M step: make log-probabilities of expected counts.

    The likelihood is greatest at log c - log sum(c). SentencePiece instead takes digamma(c) - digamma(sum(c)), the mean
    of the *logarithm* of the probability under a Dirichlet posterior with these counts (variational Bayes with a
    prior that goes to zero). Since digamma(c) is about log(c - 1/2), each piece is charged half a count: nothing for
    a frequent piece, half of its probability for one that is expected once. Rare pieces lose to frequent ones with
    every step, and the vocabulary becomes sparse before any pruning. The price is that the probabilities no longer sum
    to 1, and that the likelihood may fall a little in a step; with ``sparse=False`` it never falls.

    Args:
        counts: The expected count of each piece, above 0.
        sparse: Use the digamma function.

    Returns:
        Log-probabilities in nats.

    Example:
        >>> np.exp(maximize(np.array([1.0, 3.0]), sparse=False)).round(3).tolist()
        [0.25, 0.75]
        >>> np.exp(maximize(np.array([1.0, 3.0]))).round(3).tolist()
        [0.16, 0.717]
    """
    if sparse:
        return digamma(counts) - digamma(counts.sum(keepdims=True))
    return np.log(counts) - np.log(counts.sum())


def prune(
    lattice: CorpusLattice,
    pieces: Sequence[str],
    scores: Float[np.ndarray, " P"],
    frequencies: Float[np.ndarray, " W"],
    *,
    least: int,
    most: int,
) -> Bool[np.ndarray, " P"]:
    r"""Choose the pieces to keep: those without which the corpus's likelihood would fall most.

    To try each removal on the corpus would be too slow. The loss is estimated: if the best segmentations use a piece
    c times, then without it they use its own second-best segmentation c times (found in the piece's own lattice). A
    piece that is never used, or that is itself better cut, costs nothing and goes first.

    Args:
        lattice: The corpus.
        pieces: The vocabulary.
        scores: Its log-probabilities in nats.
        frequencies: How often each word of the lattice occurs.
        least: Keep at least this many pieces, though some of them cost nothing.
        most: Keep at most this many.

    Returns:
        Which pieces stay. Single characters do.
    """
    words, used, _ = lattice.best_paths(scores)
    uses = np.bincount(used, weights=frequencies[words], minlength=len(pieces))
    numbers = sorted((i for i, piece in enumerate(pieces) if len(piece) > 1), key=lambda i: -len(pieces[i]))
    kept = np.ones(len(pieces), dtype=bool)
    if not numbers:
        return kept
    long = np.array(numbers)
    alternatives = CorpusLattice.build([pieces[i] for i in numbers], pieces).without_whole_words()
    owners, parts, alternative = alternatives.best_paths(scores)
    loss = _losses(uses, uses[long], owners, parts)
    idle = (uses[long] == 0) | (alternative > scores[long])
    loss[idle] = -np.inf
    characters = len(pieces) - len(long)
    room = min(max(characters + int((~idle).sum()), least), most) - characters
    kept[long[np.argsort(-loss, kind="stable")[max(room, 0) :]]] = False
    return kept


def digamma(x: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
    r"""Return the derivative of log Gamma, to 1e-12, by recurrence up to 10 and the asymptotic series from there.

    Abramowitz & Stegun, equations 6.3.5 and 6.3.18. Written out so that no SciPy is needed.

    Args:
        x: Numbers above 0.

    Returns:
        One value for each.

    Example:
        >>> round(float(-digamma(np.array([1.0]))[0]), 10)  # the Euler-Mascheroni constant
        0.5772156649
    """
    x, shift = np.asarray(x, dtype=np.float64).copy(), np.zeros_like(x, dtype=np.float64)
    while (small := x < 10).any():
        shift[small] -= 1 / x[small]
        x[small] += 1
    square = 1 / (x * x)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return shift + np.log(x) - 0.5 / x - series


def _losses(
    uses: Float[np.ndarray, " P"],
    long: Float[np.ndarray, " L"],
    owners: Int[np.ndarray, " N"],
    parts: Int[np.ndarray, " N"],
) -> Float[np.ndarray, " L"]:
    # Log-likelihood, in nats, that is lost without each long piece: its uses go to the parts of its alternative, which
    # are then used more often themselves, and the corpus has more pieces in all.
    sizes, total = np.bincount(owners, minlength=len(long)), uses.sum()
    with np.errstate(divide="ignore", invalid="ignore"):  # the caller sets apart the pieces that are never used
        with_it = np.log(long / total)
        without_it = np.bincount(owners, weights=np.log(uses[parts] + long[owners]), minlength=len(long))
        return long * (with_it - without_it + sizes * np.log(total + long * (sizes - 1)))


def _take_best(pieces: Sequence[str], scores: Float[np.ndarray, " P"], size: int, characters: int) -> dict[str, float]:
    # The characters come first in ``pieces`` and all stay; the rest of the room goes to the highest scores.
    if len(pieces) < size:
        raise ValueError(
            f"{size} pieces are more than the corpus supports: only {len(pieces)} are worth keeping."
            " Lower vocab_size, or train on more text"
        )
    order = sorted(range(len(pieces)), key=lambda i: (-scores[i], pieces[i]))
    longer = [i for i in order if i >= characters][: size - characters]
    taken = {*range(characters), *longer}
    return {pieces[i]: float(scores[i]) for i in order if i in taken}


def _cut_at_rare_characters(words: Mapping[str, int], characters: set[str]) -> dict[str, int]:
    # No piece may hold a character that is left out, so a word with one falls into the parts beside it. Very long
    # words (text without spaces, a line of dashes) are cut too, since each character more of the longest is a step.
    rare = dict.fromkeys({ord(character) for word in words for character in word if character not in characters}, " ")
    parts: Counter[str] = Counter()
    for word, frequency in words.items():
        for part in word.translate(rare).split(" "):
            for start in range(0, len(part), _LONGEST_WORD):
                parts[part[start : start + _LONGEST_WORD]] += frequency
    return parts
