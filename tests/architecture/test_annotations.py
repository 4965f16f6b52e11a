"""The shapes in the signatures, executed: a process of its own, since a module is annotated when it is imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HOOK = """
from jaxtyping import install_import_hook
install_import_hook("llmcourse.architecture", "beartype.beartype")
import torch
from llmcourse.architecture import *
"""

USE = """
sizes = {"vocab_size": 9, "d_model": 16, "n_layers": 2, "n_heads": 4}
latent = LatentAttentionConfig(kv_rank=4, nope_head_dim=4, rope_head_dim=2, value_head_dim=3)
tokens = torch.randint(9, (2, 6))
for options in ({"n_kv_heads": 2, "window": 3, "qk_norm": True}, {"latent": latent}, {"norm": "layer"},
                {"position_embedding": "learned", "feed_forward": "gelu"}):
    model = Transformer(ModelConfig(**sizes, **options))
    model(tokens, document_ids=tokens.sort().values)
    model(tokens, positions=torch.arange(6).expand(2, 6))
    model.loss(tokens, tokens, tokens > 2).backward()
    generate(model, tokens, 3, top_k=3, top_p=0.9, min_p=0.1)
q, k, v = torch.randn(2, 4, 5, 8), torch.randn(2, 2, 7, 8), torch.randn(2, 2, 7, 3)
for fused in (False, True):
    scaled_dot_product_attention(q, k, v, causal=True, mask=torch.ones(5, 7, dtype=torch.bool), fused=fused)
flash_attention(q, k, v, causal=True, block_size=2)
for pairing in ("half", "interleaved"):
    apply_rope(q, torch.arange(5), pairing=pairing)
convert_pairing(torch.randn(16), 8, to="half"), convert_pairing(torch.randn(16, 3), 8, to="interleaved")
x, w = torch.randn(3, 8), torch.randn(8, 8)
rms_norm(x, torch.ones(8)), layer_norm(x, torch.ones(8), torch.ones(8)), swiglu(x, w, w, w)
LoRA(torch.nn.Linear(8, 4), rank=1)(x)
scale_frequencies(rope_frequencies(8), {"type": "linear", "factor": 2.0}, theta=1e4)
"""


def run(code):
    return subprocess.run([sys.executable, "-c", HOOK + code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_shapes_are_as_annotated():
    done = run(USE)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_wrong_shape_is_caught():
    done = run("rms_norm(torch.ones(3, 8).long(), torch.ones(8))")
    assert done.returncode != 0 and "rms_norm" in done.stderr
