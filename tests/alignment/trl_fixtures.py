"""Freeze what TRL's own code gives, in an environment of its own; run again only to renew ``trl_fixtures.json``.

    python -m venv /tmp/trl
    /tmp/trl/bin/pip install trl==0.24.0 torch==2.13.0 "transformers<5" "datasets<4.5"
    /tmp/trl/bin/python tests/alignment/trl_fixtures.py

The trainers' methods are called on an object that holds their settings and nothing else. What they read are
log-probabilities, drawn here from a seed and stored too, in fp64, so that a difference is one of formulas.
TRL computes group advantages inside the method that also generates text; those three lines stand here.
"""

import json
from collections import defaultdict
from importlib.metadata import version
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import torch
from trl import CPOTrainer, DPOTrainer, GRPOTrainer, ORPOTrainer
from trl.core import masked_whiten

ACCELERATOR = SimpleNamespace(device="cpu", gather=lambda x: x, num_processes=1)
GENERATOR = torch.Generator().manual_seed(20240529)
PAIRS, ROWS, LENGTH, GROUP = 12, 6, 7, 3


def draw(*shape: int, scale: float = 1.0) -> torch.Tensor:
    """Return numbers in fp64 that JSON keeps exactly."""
    return scale * torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


def settings(**options: object) -> SimpleNamespace:
    """Return what stands for ``self`` in a trainer's method."""
    return SimpleNamespace(accelerator=ACCELERATOR, **options)


def pairs() -> dict[str, object]:
    """Return DPO, IPO, SimPO and ORPO on pairs, some of them far apart."""
    scales = torch.tensor([1.0] * (PAIRS - 4) + [30.0, 100.0, 300.0, 1000.0], dtype=torch.float64)
    four = [-(draw(PAIRS) * scales).abs() - 0.01 for _ in range(4)]
    averages = [-draw(PAIRS).abs() - 0.01 for _ in range(2)]
    dpo = []
    for kind, beta, smoothing in [
        ("sigmoid", 0.1, 0.0),
        ("sigmoid", 0.5, 0.1),
        ("sigmoid", 1.0, 0.3),
        ("ipo", 0.1, 0.0),
    ]:
        trainer = settings(
            beta=beta, label_smoothing=smoothing, reference_free=False, f_divergence_type="reverse_kl",
            f_divergence_params=None, use_weighting=False,
        )  # fmt: skip
        losses, chosen, rejected = DPOTrainer.dpo_loss(trainer, *four, loss_type=kind)
        found = {"losses": losses.tolist(), "rewards": [chosen.tolist(), rejected.tolist()]}
        dpo.append({"variant": kind, "beta": beta, "label_smoothing": smoothing, **found})
    simpo = []
    for beta, gamma in [(2.0, 1.0), (2.5, 0.3)]:
        trainer = settings(beta=beta, simpo_gamma=gamma, alpha=0.0, label_smoothing=0.0, loss_type="simpo")
        simpo.append({"beta": beta, "gamma": gamma, "losses": CPOTrainer.cpo_loss(trainer, *averages)[0].tolist()})
    orpo = []
    for weight in (0.1, 0.7):
        # TRL's ratio is minus the penalty, and the trainer adds the negative log-likelihood, here minus the average.
        losses = -averages[0] - ORPOTrainer.odds_ratio_loss(settings(beta=weight), *averages)[0]
        orpo.append({"weight": weight, "losses": losses.tolist()})
    return {
        "four": [one.tolist() for one in four], "averages": [one.tolist() for one in averages],
        "dpo": dpo, "simpo": simpo, "orpo": orpo,
    }  # fmt: skip


def grpo() -> dict[str, object]:
    """Return the loss and its gradient for each way to sum up, with and without a KL and the deviation."""
    new, old, reference = (draw(ROWS, LENGTH, scale=0.5) - 1 for _ in range(3))
    lengths = torch.tensor([7, 2, 5, 1, 6, 3])
    mask = torch.arange(LENGTH) < lengths[:, None]
    rewards = draw(ROWS)
    cases = []
    for (kind, ours), beta, scaled in product(
        [("grpo", "sequence"), ("bnpo", "token"), ("dr_grpo", "constant")], (0.0, 0.3), (True, False)
    ):
        groups = rewards.view(-1, GROUP)
        advantages = groups - groups.mean(1, keepdim=True)
        advantages = advantages / (groups.std(1, keepdim=True) + 1e-4) if scaled else advantages
        leaf = new.clone().requires_grad_()
        trainer = settings(
            _get_per_token_logps_and_entropies=lambda *a, leaf=leaf, **k: (leaf, torch.zeros_like(leaf)),
            top_entropy_quantile=1.0, beta=beta, importance_sampling_level="token", epsilon_low=0.2, epsilon_high=0.2,
            args=SimpleNamespace(delta=None), use_vllm=False, loss_type=kind, current_gradient_accumulation_steps=1,
            max_completion_length=LENGTH, model=SimpleNamespace(training=True),
            _metrics={"train": defaultdict(list)},
        )  # fmt: skip
        inputs = {
            "prompt_ids": torch.zeros(ROWS, 1, dtype=torch.int64),
            "prompt_mask": torch.ones(ROWS, 1, dtype=torch.int64),
            "completion_ids": torch.zeros(ROWS, LENGTH, dtype=torch.int64), "completion_mask": mask.long(),
            "advantages": advantages.flatten(), "old_per_token_logps": old, "ref_per_token_logps": reference,
        }  # fmt: skip
        loss = GRPOTrainer._compute_loss(trainer, None, inputs)
        (gradient,) = torch.autograd.grad(loss, leaf)
        options = {"aggregation": ours, "beta": beta, "normalize_std": scaled}
        cases.append({"options": options, "loss": loss.item(), "gradient": gradient.tolist()})
    return {
        "new": new.tolist(), "old": old.tolist(), "reference": reference.tolist(), "lengths": lengths.tolist(),
        "rewards": rewards.tolist(), "group_size": GROUP, "cases": cases,
    }  # fmt: skip


def whitening() -> dict[str, object]:
    """Return whitened advantages, whose padding TRL leaves as it comes out."""
    values, mask = 3 * draw(4, 6) + 2, torch.rand(4, 6, generator=GENERATOR) < 0.6
    found = [masked_whiten(values, mask, shift_mean=shift).tolist() for shift in (True, False)]
    return {"values": values.tolist(), "mask": mask.tolist(), "shifted": found[0], "unshifted": found[1]}


if __name__ == "__main__":
    about = {name: version(name) for name in ("trl", "torch", "transformers")}
    frozen = {"versions": about, "pairs": pairs(), "grpo": grpo(), "whitening": whitening()}
    Path(__file__).with_suffix(".json").write_text(json.dumps(frozen) + "\n")
