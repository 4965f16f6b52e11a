"""Alignment: from a model that writes on to one that answers as people prefer."""

from llmcourse.alignment.answers import Answers, answer_log_probs, answer_logits, join_answers
from llmcourse.alignment.bradley_terry import bradley_terry_loss, centering_loss, preference_accuracy
from llmcourse.alignment.calibration import Calibration, calibration
from llmcourse.alignment.constitutional import (
    AIPreference,
    AnswerCritic,
    LanguageModelCritic,
    ProgramCritic,
    Revision,
    constitutional_preference,
    constitutional_revision,
)
from llmcourse.alignment.conversations import pack_conversations, pad_conversations
from llmcourse.alignment.diagnostics import PolicyDiagnostics, diagnose_policy, explained_variance
from llmcourse.alignment.dpo import dpo_loss, implicit_rewards, reward_accuracy
from llmcourse.alignment.frozen_reference import reference_of
from llmcourse.alignment.gae import gae
from llmcourse.alignment.grocery_lists import GroceryLists
from llmcourse.alignment.grpo import group_advantages, grpo_loss
from llmcourse.alignment.importance_ratio import importance_ratio
from llmcourse.alignment.kl import kl_penalty
from llmcourse.alignment.kl_controller import AdaptiveKL
from llmcourse.alignment.log_probs import sequence_log_probs, token_log_probs
from llmcourse.alignment.online_pairs import online_pairs
from llmcourse.alignment.orpo import orpo_loss
from llmcourse.alignment.plackett_luce import plackett_luce_loss
from llmcourse.alignment.policy_steps import Critic, PPOBatch, grpo_step, judge_rollouts, ppo_step
from llmcourse.alignment.ppo import entropy, ppo_loss, value_loss
from llmcourse.alignment.preference_steps import AnswerPairs, dpo_step, orpo_step, pair_log_probs, simpo_step
from llmcourse.alignment.principles import PRINCIPLES, Principle, at_most_words
from llmcourse.alignment.reward_model import RewardModel, reward_step
from llmcourse.alignment.rollouts import Rollouts, roll_out
from llmcourse.alignment.sft import sft_step
from llmcourse.alignment.shared_prompt import SharedPrompts, share_prompts, shared_log_probs
from llmcourse.alignment.simpo import simpo_loss
from llmcourse.alignment.token_rewards import token_rewards
from llmcourse.alignment.training_step import StepReport, take_step
from llmcourse.alignment.whitening import whiten
from llmcourse.alignment.writers import ChatServer, CheckpointWriter

__all__ = [
    "PRINCIPLES",
    "AIPreference",
    "AdaptiveKL",
    "AnswerCritic",
    "AnswerPairs",
    "Answers",
    "Calibration",
    "ChatServer",
    "CheckpointWriter",
    "Critic",
    "GroceryLists",
    "LanguageModelCritic",
    "PPOBatch",
    "PolicyDiagnostics",
    "Principle",
    "ProgramCritic",
    "Revision",
    "RewardModel",
    "Rollouts",
    "SharedPrompts",
    "StepReport",
    "answer_log_probs",
    "answer_logits",
    "at_most_words",
    "bradley_terry_loss",
    "calibration",
    "centering_loss",
    "constitutional_preference",
    "constitutional_revision",
    "diagnose_policy",
    "dpo_loss",
    "dpo_step",
    "entropy",
    "explained_variance",
    "gae",
    "group_advantages",
    "grpo_loss",
    "grpo_step",
    "implicit_rewards",
    "importance_ratio",
    "join_answers",
    "judge_rollouts",
    "kl_penalty",
    "online_pairs",
    "orpo_loss",
    "orpo_step",
    "pack_conversations",
    "pad_conversations",
    "pair_log_probs",
    "plackett_luce_loss",
    "ppo_loss",
    "ppo_step",
    "preference_accuracy",
    "reference_of",
    "reward_accuracy",
    "reward_step",
    "roll_out",
    "sequence_log_probs",
    "sft_step",
    "share_prompts",
    "shared_log_probs",
    "simpo_loss",
    "simpo_step",
    "take_step",
    "token_log_probs",
    "token_rewards",
    "value_loss",
    "whiten",
]
