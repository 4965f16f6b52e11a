"""How far a policy has gone from the reference: estimates of the KL divergence from the tokens that it drew."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.importance_ratio import importance_ratio
from llmcourse.alignment.operands import operands

__all__ = ["kl_penalty"]


def kl_penalty(
    log_probs: Float[Tensor, "*S"],
    reference_log_probs: Float[Tensor, "*S"],
    mask: Bool[Tensor, "*S"] | None = None,
    *,
    estimator: Literal["k1", "k2", "k3"] = "k1",
) -> Float[Tensor, "*S"]:
    r"""Estimate KL(policy || reference) at each token, which the policy has drawn.

    Schulman 2020, "Approximating KL divergence", with log r = log ref - log pi:

    - k1 = -log r: its mean is the KL, its variance is large, and it may be negative.
    - k2 = (log r)^2 / 2: small variance, never negative, its mean is the KL to second order only.
    - k3 = r - 1 - log r: its mean is the KL, and it is never negative.

    **A good value need not have a good gradient.** As a term of the *loss*, on tokens that stay as they were drawn, the
    mean gradient of k1 is 0: it does nothing. That of k2 is the gradient of KL(policy || reference), and that of k3 the
    gradient of KL(reference || policy), the other way round. In the *reward*, where PPO has it (Ouyang et al. 2022,
    arXiv:2203.02155, equation 2), k1 gives the right gradient, as any reward does; GRPO (Shao et al. 2024,
    arXiv:2402.03300, equation 4) has k3 in the loss. In both it is counted twice.

    Args:
        log_probs: Of tokens under the policy.
        reference_log_probs: Of the same under the reference, which is frozen: no gradient goes there.
        mask: True where a token counts; the others have 0.
        estimator: Which.

    Returns:
        Nats a token, in fp32 at least.

    Raises:
        ValueError: Shapes do not fit, or there is no such estimator.

    Example:
        >>> policy, reference = torch.tensor([0.5, 0.25]).log(), torch.tensor([0.25, 0.25]).log()
        >>> kl_penalty(policy, reference), kl_penalty(policy, reference, estimator="k3")
        (tensor([0.6931, 0.0000]), tensor([0.1931, 0.0000]))
    """
    policy, reference = operands(mask, log_probs=log_probs, reference_log_probs=reference_log_probs.detach())
    if estimator == "k1":
        return policy - reference
    if estimator == "k2":
        return (policy - reference).square() / 2
    if estimator != "k3":
        raise ValueError(f"estimator is {estimator!r}: choose 'k1', 'k2' or 'k3'")
    log_ratio = reference - policy
    # Near 0 the first order of r - 1 cancels: expm1 has the digits that exp has lost. Far out the ratio may overflow.
    near = log_ratio.abs() < 1
    less_one = torch.where(near, torch.expm1(log_ratio.clamp(-1, 1)), importance_ratio(reference, policy) - 1)
    return less_one - log_ratio
