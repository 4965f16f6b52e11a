"""A price for the KL that finds itself: it rises while the policy is further from the reference than it should be."""

__all__ = ["AdaptiveKL"]


class AdaptiveKL:
    r"""A proportional controller of beta.

    Ziegler et al. 2019 (arXiv:1909.08593), section 2.2: e = clip(KL / target - 1, -0.2, 0.2), and beta is multiplied by
    1 + K e for each batch, with K = ``n_answers / horizon``.

    Args:
        beta: The price at the start.
        target: The KL that is wanted, in nats an answer.
        horizon: In so many answers a KL that is too large by 20% or more raises the price by about a fifth.

    Raises:
        ValueError: A number is not above 0; quotes it.

    Example:
        >>> price = AdaptiveKL(beta=0.1, target=6.0, horizon=100)
        >>> round(price.update(kl=60.0, n_answers=50), 4), round(price.update(kl=0.0, n_answers=50), 4)
        (0.11, 0.099)
    """

    def __init__(self, *, beta: float = 0.2, target: float = 6.0, horizon: int = 10_000) -> None:
        for name, value in (("beta", beta), ("target", target), ("horizon", horizon)):
            if not value > 0:
                raise ValueError(f"{name} is {value}: it has to be above 0")
        self.beta, self.target, self.horizon = beta, target, horizon

    def update(self, kl: float, n_answers: int) -> float:
        """Take in the mean KL of a batch of answers.

        Args:
            kl: Nats an answer, summed over its tokens; an estimate may be below 0.
            n_answers: How many the batch has; no more than ``horizon`` are counted.

        Returns:
            The price for the next batch.
        """
        error = min(max(kl / self.target - 1, -0.2), 0.2)
        self.beta *= 1 + error * min(n_answers / self.horizon, 1.0)
        return self.beta
