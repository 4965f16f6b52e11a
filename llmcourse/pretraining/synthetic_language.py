r"""A language whose entropy rate is known exactly, and on which losses fall as a power law.

Its text is a chain of *phrases*, drawn independently. A phrase is a *key*, which is one *opener* and up to two *inner*
tokens (the opener settles how many), and then a *value*, which the key makes more or less likely. Read as a source of
tokens it is a variable-order context tree (Rissanen 1983; Willems et al. 1995): what comes next depends on the tokens
back to the last opener, from one to three of them, and after a value on nothing. Keys have Zipf-Mandelbrot
probabilities, and the frequent ones are short.

Three things follow. Phrases are cut apart in only one way, since each of the three parts has an alphabet of its own,
so that the entropy rate is the entropy of a phrase over its mean length. There is nothing to generalise: each key's
values are drawn at random, and a model knows the n keys it has had room and data for. And what the others weigh
together falls as n to the power of -(exponent - 1). A plain Markov chain, all of whose contexts count alike, gives no
power law (Hutter 2021, arXiv:2102.04074, and Michaud et al. 2023, arXiv:2303.13506, derive scaling laws from tails).
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["SyntheticLanguage"]


class SyntheticLanguage:
    r"""A variable-order context tree with Zipf-weighted contexts.

    Tokens are numbered: openers from 0, then inner tokens, then values.

    Attributes:
        vocab_size: How many tokens there are.
        order: The longest context, in tokens: after so many, no token further back tells anything.
        entropy_rate: The least possible loss, in nats a token: E of a scaling law.
        mean_phrase_length: In tokens.

    Args:
        openers: How many openers stand alone as a key, how many need one inner token, and how many need two.
        n_inner: How many inner tokens there are.
        n_values: How many values there are.
        n_likely: How many of them each key has; the next is half as likely as the one before.
        exponent: The key of rank r has a probability proportional to ``(r + shift) ** -exponent``.
        shift: Flattens the top of that law.
        seed: Which keys are frequent and what their values are; languages of two seeds differ in nothing else.

    Raises:
        ValueError: A size is out of range; quotes it.

    Cost: some 30 bytes for each key, of which the default has some 70,000.

    Example:
        >>> language = SyntheticLanguage()
        >>> round(language.entropy_rate, 4), language.vocab_size, language.order
        (2.6399, 256, 3)
        >>> tokens = language.sample(1000, seed=0)
        >>> bool(abs(language.log_probs(tokens).mean() + language.entropy_rate) < 0.3)
        True
    """

    def __init__(
        self,
        *,
        openers: tuple[int, int, int] = (16, 96, 16),
        n_inner: int = 64,
        n_values: int = 64,
        n_likely: int = 4,
        exponent: float = 1.5,
        shift: float = 10.0,
        seed: int = 0,
    ) -> None:
        _check(openers, n_inner, n_values, n_likely, exponent, shift)
        self.openers, self.n_inner, self.n_values, self.n_likely = tuple(openers), n_inner, n_values, n_likely
        self.n_openers = sum(openers)
        self.vocab_size = self.n_openers + n_inner + n_values
        self.order = max(length for length, count in enumerate(openers, 1) if count)
        generator = np.random.default_rng(seed)
        self._place_keys(generator, exponent, shift)
        self._values = _random_subsets(generator, self._probability.size, n_values, n_likely)
        self._values += self.n_openers + n_inner
        self._value_probability = 0.5 ** np.arange(n_likely) / (2 - 0.5 ** (n_likely - 1))
        phrase = _entropy(self._probability) + _entropy(self._value_probability)
        self.mean_phrase_length = float(self._probability @ (self._key_length + 1))
        self.entropy_rate = phrase / self.mean_phrase_length

    def _place_keys(self, generator: np.random.Generator, exponent: float, shift: float) -> None:
        """Number the keys by their spelling, and give each a rank: short ones first, else at random."""
        per_opener = [self.n_inner**depth for depth in range(3)]
        counts = np.multiply(self.openers, per_opener)
        first_rank = np.cumsum(counts) - counts
        ranks = np.concatenate([first + generator.permutation(n) for first, n in zip(first_rank, counts, strict=True)])
        weights = (np.arange(1, ranks.size + 1) + shift) ** -exponent
        self._probability = (weights / weights.sum())[ranks]
        self._cumulative = np.cumsum(self._probability)
        self._key_length = np.repeat(np.arange(1, 4), counts)
        self._opener_length = np.repeat(np.arange(1, 4), self.openers)
        self._first_key = np.cumsum(np.r_[0, np.repeat(per_opener, self.openers)])  # of each opener
        # What a prefix of a key weighs: all keys that begin so. Pairs are counted for the openers that need two more.
        self._opener_mass = np.add.reduceat(self._probability, self._first_key[:-1])
        last = self._probability[counts[:2].sum() :]
        self._pair_mass = last.reshape(self.openers[2], self.n_inner, self.n_inner).sum(2)

    def sample(self, n_tokens: int, *, seed: int) -> Int[Tensor, " n_tokens"]:
        r"""Draw a text that begins with a phrase.

        Args:
            n_tokens: Its length; the last phrase is cut there.
            seed: Of the text, not of the language.

        Returns:
            Tokens as int64.

        Raises:
            ValueError: n_tokens is less than 1.

        Cost: some 0.1 microseconds a token, since all phrases are drawn at once.
        """
        if n_tokens < 1:
            raise ValueError(f"n_tokens is {n_tokens}: draw at least one")
        generator = np.random.default_rng(seed)
        # The shortest phrase has two tokens, so that half as many phrases as tokens always suffice.
        n_phrases = n_tokens // 2 + 1
        keys = np.searchsorted(self._cumulative, generator.random(n_phrases) * self._cumulative[-1], side="right")
        choices = np.searchsorted(np.cumsum(self._value_probability)[:-1], generator.random(n_phrases), side="right")
        starts = np.cumsum(self._key_length[keys] + 1) - self._key_length[keys] - 1
        needed = int(np.searchsorted(starts, n_tokens))
        keys, choices, starts = keys[:needed], choices[:needed], starts[:needed]
        text = np.empty(n_tokens + self.order + 1, np.int64)
        for place, column in enumerate(self._spell(keys).T):
            reaches = self._key_length[keys] > place
            text[starts[reaches] + place] = column[reaches]
        text[starts + self._key_length[keys]] = self._values[keys, choices]
        return torch.from_numpy(text[:n_tokens])

    def _spell(self, keys: np.ndarray) -> np.ndarray:
        """Return the three tokens of each key; those that a short key lacks are meaningless."""
        opener = np.searchsorted(self._first_key, keys, side="right") - 1
        within = keys - self._first_key[opener]
        is_long = self._key_length[keys] == 3
        second = np.where(is_long, within // self.n_inner, within)
        return np.stack([opener, second + self.n_openers, within % self.n_inner + self.n_openers], axis=1)

    def log_probs(self, tokens: Int[Tensor, " n_tokens"]) -> Float[Tensor, " n_tokens"]:
        r"""Return the true log-probability of each token, given all those before it.

        Args:
            tokens: A text that begins with a phrase, as :meth:`sample` gives it.

        Returns:
            float64, in nats; minus infinity for a token that cannot stand there.

        Raises:
            ValueError: The text does not begin with an opener, or holds a token outside the vocabulary.
        """
        text = tokens.cpu().numpy()
        if text.size == 0 or not (0 <= text[0] < self.n_openers and 0 <= text.min() and text.max() < self.vocab_size):
            raise ValueError(f"tokens begin with {text[:1]}: give a text that begins with an opener, as sample does")
        places = np.arange(text.size)
        start = np.maximum.accumulate(np.where(text < self.n_openers, places, 0))
        opener, place = text[start], places - start
        inner = text - self.n_openers
        # Clipped where a phrase has no such token: nothing is read from there, but an index has to be in range.
        second, third = (inner[np.minimum(start + n, text.size - 1)].clip(0, self.n_inner - 1) for n in (1, 2))
        length = self._opener_length[opener]
        key = self._first_key[opener] + np.choose(length - 1, [0 * second, second, second * self.n_inner + third])
        probability = self._spelling_probability(opener, second, key, length, place)
        is_value = place == length
        matches = self._values[key[is_value]] == text[is_value, None]
        probability[is_value] = matches @ self._value_probability
        # An opener stands where the phrase before it has ended, and nothing else may; inner tokens fill a key.
        ended = np.r_[True, (place == length)[:-1]]
        is_inner = (inner >= 0) & (inner < self.n_inner)
        probability[((place == 0) != ended) | (((place > 0) & (place < length)) != is_inner)] = 0.0
        with np.errstate(divide="ignore"):
            return torch.from_numpy(np.log(probability))

    def _spelling_probability(
        self, opener: np.ndarray, second: np.ndarray, key: np.ndarray, length: np.ndarray, place: np.ndarray
    ) -> np.ndarray:
        """Return each token's probability as part of a key, whatever stands before its phrase."""
        probability = np.zeros(opener.size)
        probability[place == 0] = self._opener_mass[opener[place == 0]]
        at = (place == 1) & (length == 2)
        probability[at] = self._probability[key[at]] / self._opener_mass[opener[at]]
        at = (place > 0) & (length == 3)
        pair = self._pair_mass[opener[at] - self.n_openers + self.openers[2], second[at]]
        ratio = np.where(place[at] == 1, pair / self._opener_mass[opener[at]], self._probability[key[at]] / pair)
        probability[at] = np.where(place[at] < 3, ratio, 0.0)
        return probability


def _random_subsets(generator: np.random.Generator, count: int, n: int, size: int) -> np.ndarray:
    """Draw subsets of range(n) in random order by Floyd's method, all at once."""
    chosen = np.full((count, size), -1, np.int64)
    for place, top in enumerate(range(n - size, n)):
        drawn = generator.integers(0, top + 1, count)
        chosen[:, place] = np.where((chosen == drawn[:, None]).any(1), top, drawn)
    return generator.permuted(chosen, axis=1)


def _entropy(probability: np.ndarray) -> float:
    return float(-(probability * np.log(probability)).sum())


def _check(
    openers: tuple[int, int, int], n_inner: int, n_values: int, n_likely: int, exponent: float, shift: float
) -> None:
    if len(openers) != 3 or min(openers) < 0 or sum(openers) < 1:
        raise ValueError(f"openers is {openers!r}: give three counts, not all of them 0")
    if n_inner < 1:
        raise ValueError(f"n_inner is {n_inner}: give at least one inner token")
    if not 1 <= n_likely <= n_values:
        raise ValueError(f"n_likely is {n_likely} of n_values {n_values}: each key has from 1 to all of them")
    if not exponent > 0 or not shift >= 0:
        raise ValueError(f"exponent is {exponent} and shift is {shift}: the first is positive, the second at least 0")
