"""The synthetic language: its entropy rate against enumeration and sampling, and its text against its law."""

import itertools
import math
import time

import numpy as np
import pytest
import torch

from llmcourse.pretraining import SyntheticLanguage

SMALL = dict(openers=(2, 1, 1), n_inner=2, n_values=3, n_likely=2, exponent=1.2, shift=1.0)


def phrases_of(language: SyntheticLanguage) -> dict[tuple[int, ...], float]:
    """All phrases and their probabilities, told by the log-probabilities of texts that consist of one phrase."""
    found = {}
    for length in range(2, 5):
        for phrase in itertools.product(range(language.vocab_size), repeat=length):
            is_one = [token < language.n_openers for token in phrase] == [True] + [False] * (length - 1)
            if is_one and phrase[-1] >= language.n_openers + language.n_inner:
                probability = math.exp(language.log_probs(torch.tensor(phrase)).sum())
                if probability > 0:
                    found[phrase] = probability
    return found


def stationary_entropy(phrases: dict[tuple[int, ...], float]) -> float:
    """The entropy rate of the chain whose states are what has been seen of a phrase, by linear algebra alone."""
    prefixes = sorted({phrase[:n] for phrase in phrases for n in range(len(phrase))})
    weight = {p: sum(q for phrase, q in phrases.items() if phrase[: len(p)] == p) for p in prefixes} | phrases
    number = {prefix: place for place, prefix in enumerate(prefixes)}
    transition = np.zeros((len(prefixes), len(prefixes)))
    entropy = np.zeros(len(prefixes))
    for child in {phrase[:n] for phrase in phrases for n in range(1, len(phrase) + 1)}:
        probability = weight[child] / weight[child[:-1]]
        transition[number[child[:-1]], number.get(child, number[()])] += probability
        entropy[number[child[:-1]]] -= probability * math.log(probability)
    assert np.allclose(transition.sum(1), 1)
    system = np.vstack([transition.T - np.eye(len(prefixes)), np.ones(len(prefixes))])
    stationary = np.linalg.lstsq(system, np.r_[np.zeros(len(prefixes)), 1.0])[0]
    return float(stationary @ entropy)


@pytest.mark.parametrize("openers", [(2, 1, 1), (1, 2, 0), (3, 0, 0), (0, 0, 1), (0, 1, 1)])
def test_the_entropy_rate_is_that_of_the_enumerated_chain(openers: tuple[int, int, int]) -> None:
    language = SyntheticLanguage(**SMALL | {"openers": openers}, seed=3)
    phrases = phrases_of(language)
    assert sum(phrases.values()) == pytest.approx(1, abs=1e-12)
    assert language.entropy_rate == pytest.approx(stationary_entropy(phrases), rel=1e-10)


def test_a_sample_is_as_surprising_as_the_entropy_rate_says() -> None:
    language = SyntheticLanguage()
    surprise = -language.log_probs(language.sample(1_000_000, seed=1)).numpy()
    # Tokens of one phrase depend on each other, so that the error comes from means over stretches of them.
    means = surprise.reshape(-1, 1000).mean(1)
    error = means.std(ddof=1) / math.sqrt(len(means))
    assert error < 0.003
    assert abs(means.mean() - language.entropy_rate) < 4 * error


def test_phrases_are_drawn_as_often_as_their_probability_says() -> None:
    language = SyntheticLanguage(**SMALL)
    text = language.sample(200_000, seed=2).tolist()
    starts = [place for place, token in enumerate(text) if token < language.n_openers]
    drawn: dict[tuple[int, ...], int] = {}
    for begin, end in itertools.pairwise(starts):
        drawn[tuple(text[begin:end])] = drawn.get(tuple(text[begin:end]), 0) + 1
    phrases, total = phrases_of(language), len(starts) - 1
    assert set(drawn) <= set(phrases)
    statistic = sum((drawn.get(p, 0) - total * q) ** 2 / (total * q) for p, q in phrases.items())
    freedom = len(phrases) - 1
    assert abs(statistic - freedom) < 5 * math.sqrt(2 * freedom)  # a chi-square's mean and spread


def test_what_a_model_does_not_know_falls_as_a_power_law() -> None:
    language = SyntheticLanguage(exponent=1.5)
    weights = np.sort(language._probability)[::-1]
    ranks = np.array([30, 100, 300, 1000, 3000])
    tails = np.log([weights[rank:].sum() + 2 * len(weights) ** -0.5 * weights[0] * 11**1.5 for rank in ranks])
    slopes = np.diff(tails) / np.diff(np.log(ranks + 10.5))
    assert slopes == pytest.approx(-0.5, abs=0.02)


def test_texts_and_languages_follow_their_seeds() -> None:
    language = SyntheticLanguage(**SMALL)
    assert torch.equal(language.sample(500, seed=1), SyntheticLanguage(**SMALL).sample(500, seed=1))
    assert not torch.equal(language.sample(500, seed=1), language.sample(500, seed=2))
    other = SyntheticLanguage(**SMALL, seed=1)
    assert other.entropy_rate != language.entropy_rate or phrases_of(other) != phrases_of(language)


@pytest.mark.parametrize("n_tokens", [1, 2, 3, 4, 5, 17])
def test_a_text_has_the_length_asked_for_and_is_possible(n_tokens: int) -> None:
    language = SyntheticLanguage()
    for seed in range(20):
        text = language.sample(n_tokens, seed=seed)
        assert text.shape == (n_tokens,)
        assert bool(language.log_probs(text).isfinite().all())


@pytest.mark.parametrize("text", [[0, 0], [2, 4, 5], [2, 6], [3, 4, 6], [3, 4, 4, 4], [0, 4, 6], [0, 6, 6], [2, 2]])
def test_what_cannot_be_said_has_no_probability(text: list[int]) -> None:
    language = SyntheticLanguage(**SMALL)  # openers 0 and 1 stand alone, 2 needs one inner token, 3 two; 4 and 5 inner
    assert float(language.log_probs(torch.tensor(text)).sum()) == -math.inf


def test_a_million_tokens_take_seconds() -> None:
    language = SyntheticLanguage()
    begun = time.process_time()
    language.sample(1_000_000, seed=0)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(openers=(0, 0, 0)), r"openers is \(0, 0, 0\)"),
        (dict(n_likely=65), "n_likely is 65 of n_values 64"),
        (dict(n_inner=0), "n_inner is 0"),
        (dict(exponent=0.0), "exponent is 0.0"),
        (dict(shift=-1.0), "shift is -1.0"),
    ],
)
def test_impossible_languages_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SyntheticLanguage(**wrong)


def test_texts_that_do_not_begin_with_a_phrase_are_refused() -> None:
    language = SyntheticLanguage(**SMALL)
    for text in ([4, 6], [], [0, 99], [0, -1]):
        with pytest.raises(ValueError, match="begins with an opener"):
            language.log_probs(torch.tensor(text, dtype=torch.int64))
    with pytest.raises(ValueError, match="n_tokens is 0"):
        language.sample(0, seed=0)
