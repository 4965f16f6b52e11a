"""A small classifier of quality: hashed words and pairs of words, weighed by logistic regression."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float

__all__ = ["QualityClassifier", "train_quality_classifier"]

_VERSION = 1


@dataclass(frozen=True)
class QualityClassifier:
    r"""Gives a document the probability that it is good.

    DCLM (Li et al. 2024, arXiv:2406.11794, section 4.4) uses fastText, which is this with learned vectors for the
    hashed pairs; FineWeb-Edu (Penedo et al. 2024, arXiv:2406.17557, section 4) a linear layer on a model's embedding.
    This one sees no further than two words, and knows no other good text than that which it was taught: words without
    grammar are found out by their neighbours only where those words are known to it.

    Attributes:
        weights: One for each place of the hash table.

    Raises:
        ValueError: The weights are not as many as a power of two.

    Example:
        >>> texts = ["the mean of the values", "buy cheap shoes now", "returns the sum", "cheap bags, buy now"]
        >>> classifier = train_quality_classifier(texts, [True, False, True, False], n_features=2**10)
        >>> (classifier.score(["the sum of values", "buy bags"]) > 0.5).tolist()
        [True, False]
    """

    _: KW_ONLY
    weights: Float[np.ndarray, " n_features"]

    def __post_init__(self) -> None:
        n = len(self.weights)
        if n < 1 or n & (n - 1):
            raise ValueError(f"there are {n} weights: give a power of two")

    def score(self, texts: Sequence[str]) -> Float[np.ndarray, " n_texts"]:
        """Return how probably each text is good.

        Args:
            texts: Documents; the score of one depends on it alone.

        Returns:
            From 0 to 1.

        Raises:
            ImportError: scikit-learn is not installed.
        """
        if not len(texts):
            return np.empty(0)
        features = _vectorizer(len(self.weights)).transform(texts)
        return 1 / (1 + np.exp(-(features @ self.weights)))

    def keep(self, texts: Iterable[str], *, threshold: float = 0.5) -> Iterator[str]:
        """Give the texts whose score is at least the threshold.

        Args:
            texts: Documents, taken one by one.
            threshold: From 0, which keeps all, to 1.

        Yields:
            Texts as they came.

        Raises:
            ValueError: The threshold is no probability; quotes it.
        """
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold is {threshold}: it is from 0 to 1")
        yield from (text for text in texts if self.score([text])[0] >= threshold)

    def save(self, path: str | Path) -> None:
        """Write it as JSON, the weights that are not 0 by their place.

        Args:
            path: The file.
        """
        (places,) = np.nonzero(self.weights)
        state = {"version": _VERSION, "n_features": len(self.weights)}
        state |= {"places": places.tolist(), "weights": self.weights[places].tolist()}
        Path(path).write_text(json.dumps(state), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return what ``save`` wrote.

        Args:
            path: The file.

        Returns:
            The classifier, with the same scores bit for bit.

        Raises:
            ValueError: The file is no classifier; quotes it.
        """
        try:
            state = json.loads(Path(path).read_text(encoding="utf-8"))
            if state["version"] != _VERSION:
                raise ValueError(f"its version is {state['version']}, and this course reads {_VERSION}")
            weights = np.zeros(state["n_features"])
            weights[state["places"]] = state["weights"]
            return cls(weights=weights)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{str(path)!r} is no quality classifier: {error}") from error


def train_quality_classifier(
    texts: Sequence[str], good: Sequence[bool], *, n_features: int = 2**16, penalty: float = 2e-5
) -> QualityClassifier:
    r"""Fit the classifier to texts with labels.

    Args:
        texts: Documents, :func:`llmcourse.pretraining.quality_labels` for instance.
        good: What each is.
        n_features: Places of the hash table, a power of two; words that meet in one share its weight.
        penalty: On half the sum of the weights' squares, beside the mean loss; more of it makes scores less sure.

    Returns:
        The classifier; the same for the same texts.

    Raises:
        ValueError: Labels and texts are not as many, or all labels are alike; quotes them.
        ImportError: scikit-learn is not installed.
    """
    if len(texts) != len(good) or len(set(good)) != 2:
        raise ValueError(
            f"{len(texts)} texts have {len(good)} labels, of which {sum(good)} are good: "
            "give one for each, and both kinds"
        )
    vectorizer = _vectorizer(n_features)  # says what to install, if it has to be said
    from sklearn.linear_model import LogisticRegression

    # Without an intercept: what has no word that was seen is not good by that, but undecided, at one half.
    regression: Any = LogisticRegression(C=1 / (penalty * len(texts)), fit_intercept=False, max_iter=1000)
    regression.fit(vectorizer.transform(texts), np.asarray(good))
    return QualityClassifier(weights=regression.coef_[0].astype(np.float64))


def _vectorizer(n_features: int) -> Any:
    """Return what says which words, marks and pairs of them are there, in places that a hash function names."""
    try:
        from sklearn.feature_extraction.text import HashingVectorizer
    except ImportError as error:
        raise ImportError(
            "the quality classifier needs scikit-learn: pip install 'llmcourse[data]', or pip install scikit-learn"
        ) from error
    return HashingVectorizer(
        n_features=n_features, ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", alternate_sign=False, binary=True
    )
