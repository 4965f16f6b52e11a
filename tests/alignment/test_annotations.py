"""The shapes in the signatures, executed: a process of its own, since a module is annotated when it is imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HOOK = """
from jaxtyping import install_import_hook
install_import_hook("llmcourse.alignment", "beartype.beartype")
import torch
from llmcourse.alignment import *
"""

USE = """
import copy
from llmcourse.architecture import ModelConfig, Transformer
four = -torch.rand(4, 3)
dpo_loss(*four), dpo_loss(*four, variant="ipo"), orpo_loss(*four[:2]), simpo_loss(*four[:2])
bradley_terry_loss(*four[:2], margin=four[2]), centering_loss(*four[:2]), calibration(*four[:2])
implicit_rewards(*four[:2]), reward_accuracy(*four), plackett_luce_loss(four), importance_ratio(*four[:2])
a, b, c = -torch.rand(3, 4, 5)
mask = torch.rand(4, 5) < 0.7
logits, labels = torch.randn(4, 5, 9), torch.randint(9, (4, 5))
sequence_log_probs(logits, labels, mask, average=True), entropy(logits, mask)
for k in ("k1", "k2", "k3"):
    kl_penalty(a, b, mask, estimator=k)
gae(a, b, mask), whiten(a, mask), token_rewards(a[:, 0], a, b, mask)
ppo_loss(a, b, c, mask), value_loss(a, b, c, mask), diagnose_policy(a, b, mask), explained_variance(a, b, mask)
grpo_loss(a, b, a[:, 0], mask, group_size=2, reference_log_probs=c, beta=0.1)
policy = Transformer(ModelConfig(vocab_size=9, d_model=16, n_layers=1, n_heads=2))
reference, critic = copy.deepcopy(policy), RewardModel(copy.deepcopy(policy))
optimizer = torch.optim.SGD([*policy.parameters(), *critic.parameters()], lr=0.1)
sft_step(policy, optimizer, pack_conversations([([1, 2, 3], [False, True, True])] * 3, 5))
pairs = AnswerPairs(join_answers([[1, 2]], [[3]]), join_answers([[1, 2]], [[4, 5]]))
for form in (pairs, share_prompts(*pairs)):
    dpo_step(policy, reference, optimizer, form)
    orpo_step(policy, optimizer, form), simpo_step(policy, optimizer, form)
reward_step(critic, optimizer, pairs, centering=0.1)
drawn = roll_out(policy, [[1], [2, 3]], 3, stop_tokens=[0], group_size=2)
scores = torch.rand(4)
batch = judge_rollouts(policy, reference, critic, drawn, scores)
ppo_step(policy, critic, optimizer, batch, entropy_weight=0.1)
grpo_step(policy, reference, optimizer, drawn, scores, group_size=2, beta=0.1)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", HOOK + code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_shapes_are_as_annotated() -> None:
    done = run(USE)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_wrong_shape_is_caught() -> None:
    done = run("dpo_loss(*torch.zeros(4, 3, 2))")
    assert done.returncode != 0 and "dpo_loss" in done.stderr
