"""How much likelier a token is under the policy than under the one that drew it."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

__all__ = ["importance_ratio"]

# exp(60) is 1e26: hundreds of thousands of such terms still add up to a number in fp32.
_STRAIGHT_FROM = 60.0


def importance_ratio(log_probs: Float[Tensor, "*S"], old_log_probs: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
    r"""Return exp(log_probs - old_log_probs), which does not overflow.

    exp(89) is infinite in fp32, and 0 times infinity is NaN: in the loss where an advantage is 0, in the gradient where
    clipping has taken the other branch. Above a difference of 60 nats the exponential goes on as its tangent, so that
    values and gradients are finite and have the right sign; below, nothing is changed.

    Args:
        log_probs: Of tokens under the policy.
        old_log_probs: Of the same tokens under the policy that drew them.

    Returns:
        Ratios, above 0 until they underflow.

    Example:
        >>> import torch
        >>> importance_ratio(torch.tensor([-1.0, 1000.0]), torch.tensor([-1.0, 0.0]))
        tensor([1.0000e+00, 1.0746e+29])
    """
    difference = log_probs - old_log_probs
    return difference.clamp(max=_STRAIGHT_FROM).exp() * (1 + F.relu(difference - _STRAIGHT_FROM))
