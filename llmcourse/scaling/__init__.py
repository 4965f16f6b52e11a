"""Chapter 3: what a model costs, and how its loss falls with size, data and compute."""

from llmcourse.scaling.approaches import Optima, envelope_optima, isoflop_optima
from llmcourse.scaling.chinchilla import (
    EPOCH_REFIT,
    HOFFMANN_ROUNDED,
    HOFFMANN_TEX,
    ChinchillaFit,
    chinchilla_loss,
    compute_optimal,
)
from llmcourse.scaling.counts import ParameterCount, parameter_count
from llmcourse.scaling.fit_chinchilla import fit_chinchilla
from llmcourse.scaling.flops import TrainingFlops, training_flops
from llmcourse.scaling.kaplan import kaplan_compute_loss, kaplan_data_loss, kaplan_loss, kaplan_parameter_loss
from llmcourse.scaling.overtraining import break_even_tokens, cheapest_for_loss, overtraining_cost, tokens_for_loss
from llmcourse.scaling.power_law import PowerLaw, fit_power_law
from llmcourse.scaling.reconciliation import (
    apparent_exponent,
    embedding_coefficient,
    local_exponent,
    total_parameters,
)

__all__ = [
    "EPOCH_REFIT",
    "HOFFMANN_ROUNDED",
    "HOFFMANN_TEX",
    "ChinchillaFit",
    "Optima",
    "ParameterCount",
    "PowerLaw",
    "TrainingFlops",
    "apparent_exponent",
    "break_even_tokens",
    "cheapest_for_loss",
    "chinchilla_loss",
    "compute_optimal",
    "embedding_coefficient",
    "envelope_optima",
    "fit_chinchilla",
    "fit_power_law",
    "isoflop_optima",
    "kaplan_compute_loss",
    "kaplan_data_loss",
    "kaplan_loss",
    "kaplan_parameter_loss",
    "local_exponent",
    "overtraining_cost",
    "parameter_count",
    "tokens_for_loss",
    "total_parameters",
    "training_flops",
]
