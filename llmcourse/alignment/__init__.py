"""Alignment: from a model that writes on to one that answers as people prefer."""

from llmcourse.alignment.bradley_terry import bradley_terry_loss, centering_loss, preference_accuracy
from llmcourse.alignment.calibration import Calibration, calibration
from llmcourse.alignment.dpo import dpo_loss, implicit_rewards, reward_accuracy
from llmcourse.alignment.log_probs import sequence_log_probs, token_log_probs
from llmcourse.alignment.orpo import orpo_loss
from llmcourse.alignment.plackett_luce import plackett_luce_loss
from llmcourse.alignment.simpo import simpo_loss

__all__ = [
    "Calibration",
    "bradley_terry_loss",
    "calibration",
    "centering_loss",
    "dpo_loss",
    "implicit_rewards",
    "orpo_loss",
    "plackett_luce_loss",
    "preference_accuracy",
    "reward_accuracy",
    "sequence_log_probs",
    "simpo_loss",
    "token_log_probs",
]
