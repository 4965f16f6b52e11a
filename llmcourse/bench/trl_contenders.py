"""What DPO and GRPO are measured against where TRL is installed: its own methods, on ``transformers``' model.

A trainer of TRL's wants datasets, a tokenizer and files. What is measured here is the computation of its loss alone, so
an object of its class is made that has the settings which that method reads, and nothing else.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from llmcourse.alignment import AnswerPairs, Rollouts, group_advantages

__all__ = ["llama", "trl_dpo_loss", "trl_grpo_loss"]


def llama(sizes: Mapping[str, int], vocab_size: int, max_seq_len: int, *, seed: int) -> Any:
    """Return a Llama of transformers', whose models TRL takes.

    Args:
        sizes: As :class:`llmcourse.architecture.ModelConfig` names them.
        vocab_size: Rows of the embedding.
        max_seq_len: The longest row.
        seed: Of the weights.

    Returns:
        The model.
    """
    from transformers import LlamaConfig, LlamaForCausalLM  # heavy, and needed beside TRL alone

    torch.manual_seed(seed)
    names = {
        "d_model": "hidden_size", "d_ff": "intermediate_size", "n_layers": "num_hidden_layers",
        "n_heads": "num_attention_heads", "n_kv_heads": "num_key_value_heads",
    }  # fmt: skip
    given: dict[str, Any] = {names[name]: value for name, value in sizes.items()}
    return LlamaForCausalLM(LlamaConfig(vocab_size=vocab_size, max_position_embeddings=max_seq_len, **given))


def trl_dpo_loss(policy: Any, reference: Any, pairs: AnswerPairs, *, beta: float) -> Callable[[], Tensor]:
    """Return what computes DPOTrainer's loss by its own method.

    Args:
        policy: A model of transformers'.
        reference: Another.
        pairs: With prompts of one length.
        beta: DPO's.

    Returns:
        A function of no arguments; it asks both models.
    """
    from trl import DPOTrainer  # pyright: ignore[reportMissingImports]  # an environment of its own has it

    trainer = object.__new__(DPOTrainer)
    trainer.__dict__ |= {
        "is_encoder_decoder": False, "aux_loss_enabled": False, "pad_token_id": 0, "label_pad_token_id": -100,
        "max_length": None, "use_logits_to_keep": True, "padding_free": False, "use_weighting": False,
        "loss_type": ["sigmoid"], "loss_weights": None, "beta": beta, "label_smoothing": 0.0, "reference_free": False,
        "f_divergence_type": "reverse_kl", "f_divergence_params": None, "_peft_has_been_casted_to_bf16": False,
        "args": SimpleNamespace(rpo_alpha=None, ld_alpha=None, use_liger_loss=False), "ref_model": reference,
        "accelerator": SimpleNamespace(gather_for_metrics=lambda x: x, device=policy.device),
    }  # fmt: skip
    length = int(pairs.chosen.mask[0].int().argmax())
    prompt = pairs.chosen.tokens[:, :length]
    batch = {"prompt_input_ids": prompt, "prompt_attention_mask": torch.ones_like(prompt)}
    for name, side in zip(("chosen", "rejected"), pairs, strict=True):
        batch[f"{name}_input_ids"] = side.tokens[:, length:]
        batch[f"{name}_attention_mask"] = side.mask[:, length:].long()
    return lambda: trainer.get_batch_loss_metrics(policy, batch)[0]


def trl_grpo_loss(policy: Any, rollouts: Rollouts, rewards: Tensor, *, group_size: int) -> Callable[[], Tensor]:
    """Return what computes GRPOTrainer's loss by its own method, with beta = 0, which is its default.

    Args:
        policy: A model of transformers'.
        rollouts: Answers to prompts of one length.
        rewards: One for each.
        group_size: Answers to each prompt.

    Returns:
        A function of no arguments.
    """
    from trl import GRPOTrainer  # pyright: ignore[reportMissingImports]  # an environment of its own has it

    trainer = object.__new__(GRPOTrainer)
    trainer.__dict__ |= {
        "top_entropy_quantile": 1.0, "beta": 0.0, "importance_sampling_level": "token", "epsilon_low": 0.2,
        "epsilon_high": 0.2, "args": SimpleNamespace(delta=None, report_to=[]), "use_vllm": False, "loss_type": "grpo",
        "current_gradient_accumulation_steps": 1, "model": policy, "temperature": 1.0,
        "model_kwarg_keys": {"logits_to_keep"}, "_metrics": defaultdict(lambda: defaultdict(list)),
        "accelerator": SimpleNamespace(gather=lambda x: x, num_processes=1),
    }  # fmt: skip
    tokens, mask = rollouts.answers
    length = int(mask[0].int().argmax())
    batch = {
        "prompt_ids": tokens[:, :length],
        "prompt_mask": torch.ones_like(tokens[:, :length]),
        "completion_ids": tokens[:, length:],
        "completion_mask": mask[:, length:].long(),
        "old_per_token_logps": rollouts.log_probs[:, length:],
        "advantages": group_advantages(rewards, group_size=group_size),
    }
    return lambda: trainer._compute_loss(policy, batch)
