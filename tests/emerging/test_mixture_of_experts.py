import subprocess
import sys
from pathlib import Path

import pytest
import torch

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.emerging import MixtureOfExperts, MoEConfig, auxiliary_loss, balance_experts, moe_parameters

SIZES = {"vocab_size": 31, "d_model": 16, "n_layers": 2, "n_heads": 2, "d_ff": 12, "feed_forward": "moe"}
ROOT = Path(__file__).resolve().parents[2]


def layer(**options):
    moe = MixtureOfExperts(ModelConfig(**SIZES, feed_forward_options={"n_experts": 8, "top_k": 2} | options))
    for parameter in moe.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return moe


def give(theirs, ours):
    """Copy our weights into a block of transformers."""
    with torch.no_grad():
        theirs.gate.weight.copy_(ours.router.weight)
        theirs.experts.gate_up_proj.copy_(torch.cat([ours.experts.w_gate, ours.experts.w1], dim=1))
        theirs.experts.down_proj.copy_(ours.experts.w2)
        shared = getattr(theirs, "shared_experts", None) or getattr(theirs, "shared_expert", None)
        if shared is not None:
            shared.up_proj.weight.copy_(ours.shared.w1.weight)
            shared.gate_proj.weight.copy_(ours.shared.w_gate.weight)
            shared.down_proj.weight.copy_(ours.shared.w2.weight)
    return theirs


def test_as_mixtral():
    transformers = pytest.importorskip("transformers")
    from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

    config = transformers.MixtralConfig(
        hidden_size=16, intermediate_size=12, num_local_experts=8, num_experts_per_tok=2
    )
    ours = layer()
    theirs = give(MixtralSparseMoeBlock(config), ours)
    x = torch.randn(3, 7, 16)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_as_qwen2_moe():
    transformers = pytest.importorskip("transformers")
    from transformers.models.qwen2_moe.modeling_qwen2_moe import Qwen2MoeSparseMoeBlock

    config = transformers.Qwen2MoeConfig(
        hidden_size=16, moe_intermediate_size=12, num_experts=8, num_experts_per_tok=2, norm_topk_prob=False,
        shared_expert_intermediate_size=36,
    )  # fmt: skip
    ours = layer(renormalize=False, n_shared_experts=3, shared_gate=True)
    theirs = give(Qwen2MoeSparseMoeBlock(config), ours)
    theirs.shared_expert_gate.weight = ours.shared_gate.weight
    x = torch.randn(3, 7, 16)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_as_deepseek_v3():
    transformers = pytest.importorskip("transformers")
    from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3MoE

    config = transformers.DeepseekV3Config(
        hidden_size=16, moe_intermediate_size=12, n_routed_experts=8, num_experts_per_tok=2, n_group=4, topk_group=2,
        n_shared_experts=2, norm_topk_prob=True, routed_scaling_factor=2.5,
    )  # fmt: skip
    ours = layer(score="sigmoid", n_groups=4, top_k_groups=2, scale=2.5, selection_bias=True, n_shared_experts=2)
    torch.nn.init.normal_(ours.selection_bias, std=0.2)
    theirs = give(DeepseekV3MoE(config), ours)
    theirs.gate.e_score_correction_bias.copy_(ours.selection_bias)
    x = torch.randn(3, 7, 16)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_it_is_the_feed_forward_layer_of_a_model_and_learns():
    torch.manual_seed(0)
    options = {"n_experts": 4, "top_k": 2, "selection_bias": True, "n_shared_experts": 1}
    model = Transformer(ModelConfig(**SIZES, feed_forward_options=options))
    experts = model.blocks[0].feed_forward.experts
    narrow, wide = experts.w2.std().item(), experts.w1.std().item()
    assert narrow == pytest.approx(wide / 2, rel=0.2)  # 1 / sqrt(2 * 2 layers)
    tokens = torch.arange(31).repeat(4)[:121]
    batch, labels = tokens[:120].view(4, 30), tokens[1:].view(4, 30)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = model.loss(batch, labels)
        (loss + auxiliary_loss(model, z_weight=1e-3)).backward()
        optimizer.step()
        optimizer.zero_grad()
        balance_experts(model)
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert all(block.feed_forward.selection_bias.abs().sum() > 0 for block in model.blocks)


def test_router_gets_its_gradient_from_the_output_and_the_auxiliary_loss():
    moe = layer()
    x = torch.randn(20, 16)
    moe(x).square().sum().backward(retain_graph=True)
    from_output = moe.router.weight.grad.clone()
    moe.zero_grad()
    moe(x)
    auxiliary_loss(moe, balance_weight=1.0).backward()
    assert from_output.abs().sum() > 0 and moe.router.weight.grad.abs().sum() > 0


def test_counts_are_kept_while_training_only_and_begin_anew():
    moe = layer(selection_bias=True)
    x = torch.randn(5, 16)
    moe(x), moe(x)
    assert moe.counts.sum() == 20
    moe.eval()(x)
    assert moe.counts.sum() == 20
    busy = moe.counts > 2.5
    balance_experts(moe, rate=0.25)
    assert torch.equal(moe.selection_bias, torch.where(busy, -0.25, 0.25)) and moe.counts.sum() == 0
    assert "selection_bias" in moe.state_dict() and "counts" not in moe.state_dict()


def test_capacity_drops_tokens():
    x = torch.randn(1, 16).repeat(8, 1)
    full, tight = layer(), layer(capacity_factor=1.0)
    tight.load_state_dict(full.state_dict())
    kept = tight(x).abs().sum(-1) > 0  # 2 slots for each expert, and all 8 tokens want the same two
    assert kept.tolist() == [True] * 2 + [False] * 6
    torch.testing.assert_close(tight(x)[:2], full(x)[:2])


@pytest.mark.parametrize("shared", [0, 2])
def test_parameters_are_those_of_the_layer(shared):
    moe = layer(n_shared_experts=shared)
    total, active = moe_parameters(16, 12, 8, 2, shared)
    assert total == sum(p.numel() for p in moe.parameters())
    assert total - active == 6 * sum(p[0].numel() for p in moe.experts.parameters())


def test_bf16():
    moe = layer()
    low = layer().bfloat16()
    low.load_state_dict(moe.state_dict())
    x = torch.randn(9, 16).bfloat16()
    moe.load_state_dict({name: value.bfloat16().float() for name, value in moe.state_dict().items()})
    exact = moe(x.float())
    assert low(x).dtype == torch.bfloat16
    # Three products and a sum, each rounded to 8 bits; the choice itself is made in fp32.
    torch.testing.assert_close(low(x).float(), exact, rtol=0, atol=4 * 2**-8 * exact.abs().max().item())


def test_refusals():
    with pytest.raises(ValueError, match=r"look at 'top_kk'"):
        layer(top_kk=1)
    with pytest.raises(ValueError, match=r"look at 'top_k'; 'moe' needs n_experts and top_k"):
        MixtureOfExperts(ModelConfig(**SIZES, feed_forward_options={"n_experts": 8}))
    with pytest.raises(ValueError, match=r"top_k is 9"):
        layer(top_k=9)
    with pytest.raises(ValueError, match=r"n_shared_experts is 0 and shared_gate True"):
        MoEConfig(n_experts=4, top_k=1, shared_gate=True)
    with pytest.raises(ValueError, match=r"Linear has no mixture"):
        auxiliary_loss(torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match=r"has seen no batch"):
        auxiliary_loss(layer().eval())


HOOK = """
from jaxtyping import install_import_hook
install_import_hook("llmcourse.emerging", "beartype.beartype")
import torch
from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.emerging import *
"""
USE = """
options = {"n_experts": 4, "top_k": 2, "selection_bias": True, "n_shared_experts": 1, "capacity_factor": 1.5}
model = Transformer(ModelConfig(vocab_size=9, d_model=16, n_layers=1, n_heads=2, d_ff=8, feed_forward="moe",
                                feed_forward_options=options))
model(torch.randint(9, (2, 6)))
auxiliary_loss(model, z_weight=1.0).backward()
balance_experts(model)
apply_experts(torch.ones(2, 3), torch.ones(2, 1), torch.zeros(2, 1, dtype=torch.long), [torch.neg])
load_balancing_loss(torch.ones(2, 3), torch.zeros(2, 1, dtype=torch.long), torch.ones(2, dtype=torch.bool))
"""


def run(program):
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)


def test_shapes_in_signatures_hold():
    pytest.importorskip("beartype")
    done = run(HOOK + USE)
    assert done.returncode == 0, done.stderr[-2000:]
    wrong = run(HOOK + "combine(torch.ones(3, 2), torch.arange(4), torch.ones(2, 2))")
    assert "TypeCheckError" in wrong.stderr or "BeartypeCallHint" in wrong.stderr
