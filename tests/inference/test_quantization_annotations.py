"""The shapes in the signatures of quantizers, executed: a process of its own, since annotation is done on import."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HOOK = """
from jaxtyping import install_import_hook
modules = ("int8", "int4", "nf4", "quantized_linear", "llm_int8", "gptq", "awq", "smoothquant", "calibration")
install_import_hook([f"llmcourse.inference.{name}" for name in modules], "beartype.beartype")
import torch
from llmcourse.inference import *
"""

USE = """
x = torch.randn(2, 3, 64)
for dim in (None, 0, -1):
    dequantize_int8(*quantize_int8(x, dim=dim)), dequantize_int8(*quantize_int8_zero_point(x, dim=dim))
for quantize in (quantize_int4, quantize_int4_zero_point):
    dequantize_int4(*quantize(x, group_size=16)), dequantize_int4(*quantize(x[0, 0].bfloat16(), group_size=16))
packed, absmax = quantize_nf4(x, block_size=16)
dequantize_nf4(packed, dequantize_absmax(*quantize_absmax(absmax))), normal_float_values(3)
for format in WEIGHT_FORMATS:
    layer = QuantizedLinear.of(torch.nn.Linear(64, 3), format=format, group_size=16)
    layer(x), layer.dequantize()
weight = torch.randn(4, 64)
gptq(weight, x), awq(weight, x), smoothing_scale(x.abs().amax((0, 1)), [weight, weight[:1]])
Int8Linear(torch.nn.Linear(64, 3))(9 * x)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", HOOK + code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_shapes_are_as_annotated() -> None:
    done = run(USE)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_wrong_shape_is_caught() -> None:
    done = run("dequantize_int4(torch.zeros(2, 3, dtype=torch.uint8), torch.zeros(3, 1))")
    assert done.returncode != 0 and "dequantize_int4" in done.stderr
