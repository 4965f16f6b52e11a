"""Chapter 7: released models as data, and what follows from their sizes."""

from llmcourse.lineage.blueprint import Blueprint, Experts
from llmcourse.lineage.catalogue import (
    MODELS,
    blueprint_of,
    find_model,
    kv_bytes_per_token,
    parameter_count_of,
    read_models,
)
from llmcourse.lineage.distillation import distillation_loss
from llmcourse.lineage.memory_and_compute import flops_of_token, kv_bytes, kv_numbers_per_layer
from llmcourse.lineage.model import Estimate, Model
from llmcourse.lineage.model_card import ModelCard, derived_numbers, model_card
from llmcourse.lineage.model_config import model_config, unsupported_choices
from llmcourse.lineage.parameter_parts import ParameterParts, parameter_parts

__all__ = [
    "MODELS",
    "Blueprint",
    "Estimate",
    "Experts",
    "Model",
    "ModelCard",
    "ParameterParts",
    "blueprint_of",
    "derived_numbers",
    "distillation_loss",
    "find_model",
    "flops_of_token",
    "kv_bytes",
    "kv_bytes_per_token",
    "kv_numbers_per_layer",
    "model_card",
    "model_config",
    "parameter_count_of",
    "parameter_parts",
    "read_models",
    "unsupported_choices",
]
