"""Alignment: from a model that writes on to one that answers as people prefer."""

from llmcourse.alignment.bradley_terry import bradley_terry_loss, centering_loss, preference_accuracy
from llmcourse.alignment.calibration import Calibration, calibration
from llmcourse.alignment.diagnostics import PolicyDiagnostics, diagnose_policy, explained_variance
from llmcourse.alignment.dpo import dpo_loss, implicit_rewards, reward_accuracy
from llmcourse.alignment.gae import gae
from llmcourse.alignment.grpo import group_advantages, grpo_loss
from llmcourse.alignment.importance_ratio import importance_ratio
from llmcourse.alignment.kl import kl_penalty
from llmcourse.alignment.kl_controller import AdaptiveKL
from llmcourse.alignment.log_probs import sequence_log_probs, token_log_probs
from llmcourse.alignment.orpo import orpo_loss
from llmcourse.alignment.plackett_luce import plackett_luce_loss
from llmcourse.alignment.ppo import entropy, ppo_loss, value_loss
from llmcourse.alignment.simpo import simpo_loss
from llmcourse.alignment.token_rewards import token_rewards
from llmcourse.alignment.whitening import whiten

__all__ = [
    "AdaptiveKL",
    "Calibration",
    "PolicyDiagnostics",
    "bradley_terry_loss",
    "calibration",
    "centering_loss",
    "diagnose_policy",
    "dpo_loss",
    "entropy",
    "explained_variance",
    "gae",
    "group_advantages",
    "grpo_loss",
    "implicit_rewards",
    "importance_ratio",
    "kl_penalty",
    "orpo_loss",
    "plackett_luce_loss",
    "ppo_loss",
    "preference_accuracy",
    "reward_accuracy",
    "sequence_log_probs",
    "simpo_loss",
    "token_log_probs",
    "token_rewards",
    "value_loss",
    "whiten",
]
