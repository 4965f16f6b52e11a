"""The head-sharing explorer computes in JavaScript what the package computes in Python."""

import random
import re
from typing import Any

import pytest
import torch

from llmcourse.architecture import Attention, ModelConfig, expand_kv_heads
from llmcourse.widgets import HeadSharing, head_sharing

HARNESS = """
const answer = (sizes) => ({
  bytes: lib.cacheBytes(sizes),
  groups: lib.groups(sizes.n_heads, sizes.n_kv_heads),
  divisors: lib.divisors(sizes.n_heads),
  name: lib.nameOf(sizes.n_heads, sizes.n_kv_heads),
  allowed: lib.nearestAllowed(sizes.n_heads, sizes.seq_len % 130 + 1),
});
const formatted = [2 ** 31, 1.25 * 2 ** 30, 10 * 2 ** 30, 327680, 3 * 2 ** 20].map(lib.formatBytes);
process.stdout.write(JSON.stringify({ answers: cases.map(answer), formatted }));
"""


def random_case(seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    n_kv_heads = rng.randint(1, 16)
    return {
        "n_heads": n_kv_heads * rng.randint(1, 8),
        "n_kv_heads": n_kv_heads,
        "n_layers": rng.randint(1, 126),
        "head_dim": 2 * rng.randint(1, 128),
        "seq_len": rng.randint(1, 2**17),
        "batch_size": rng.randint(1, 64),
        "bytes_per_element": rng.choice([1, 2, 4]),
    }


CASES = [random_case(seed) for seed in range(200)]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    return run_javascript(head_sharing, HARNESS, CASES)


def test_javascript_equals_python_on_random_sizes(javascript):
    names = set()
    for case, found in zip(CASES, javascript["answers"], strict=True):
        explorer = HeadSharing(case["n_heads"], case["n_kv_heads"], **_rest(case))
        assert found["bytes"] == explorer.cache_bytes
        assert found["groups"] == explorer.groups
        assert found["divisors"] == [n for n in range(1, case["n_heads"] + 1) if case["n_heads"] % n == 0]
        wished = case["seq_len"] % 130 + 1
        assert found["allowed"] == max(n for n in found["divisors"] if n <= wished)
        names.add(found["name"])
    assert names == {"MHA", "GQA", "MQA"}


def test_groups_are_those_that_attention_forms():
    for case in CASES[:40]:
        heads = torch.arange(float(case["n_kv_heads"])).view(1, -1, 1, 1)
        explorer = HeadSharing(case["n_heads"], case["n_kv_heads"], **_rest(case))
        assert expand_kv_heads(heads, case["n_heads"]).flatten().tolist() == explorer.groups


def test_bytes_are_those_of_the_keys_and_values_that_attention_makes():
    config = ModelConfig(vocab_size=8, d_model=24, n_layers=3, n_heads=6, n_kv_heads=2, head_dim=10)
    attention, x = Attention(config), torch.zeros(4, 7, 24)
    made = sum(projection(x).numel() for projection in (attention.k, attention.v)) * config.n_layers * 4
    explorer = HeadSharing(6, 2, n_layers=3, head_dim=10, seq_len=7, batch_size=4, bytes_per_element=4)
    assert explorer.cache_bytes == made


@pytest.mark.parametrize(
    ("heads", "options", "gib"),
    [
        ((32, 32), {"n_layers": 32, "head_dim": 128, "seq_len": 4096}, 2.0),  # Llama 2 7B
        ((32, 8), {"n_layers": 32, "head_dim": 128, "seq_len": 8192}, 1.0),  # Llama 3 8B
        ((64, 8), {"n_layers": 80, "head_dim": 128, "seq_len": 32768}, 10.0),  # Llama 3 70B
        ((64, 64), {"n_layers": 80, "head_dim": 128, "seq_len": 4096}, 10.0),  # Llama 2 70B, were it MHA
    ],
)
def test_caches_of_known_models(heads, options, gib):
    assert HeadSharing(*heads, **options).cache_bytes == gib * 2**30


def test_bytes_are_written_with_their_binary_unit(javascript):
    assert javascript["formatted"] == ["2.00 GiB", "1.25 GiB", "10.0 GiB", "320 KiB", "3.00 MiB"]


def test_output_is_stable():
    sizes = {"n_layers": 80, "head_dim": 128, "seq_len": 4096}
    assert repr(HeadSharing(64, 8, **sizes)) == "HeadSharing(64 query heads, 8 KV heads, 1.25 GiB)"
    assert HeadSharing(64, 8, **sizes).static_html() == HeadSharing(64, 8, **sizes).static_html()


@pytest.mark.parametrize(
    ("heads", "options", "message"),
    [
        ((8, 3), {}, "n_heads is 8 and n_kv_heads is 3: give a divisor"),
        ((8, 0), {}, "n_kv_heads is 0: it has to be at least 1"),
        ((256, 8), {}, "n_heads is 256: at most 128"),
        ((8, 8), {"seq_len": 0}, "seq_len is 0"),
    ],
)
def test_bad_input_is_refused(heads, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        HeadSharing(*heads, **{"n_layers": 1, "head_dim": 2, "seq_len": 1} | options)


def _rest(case: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in case.items() if name not in ("n_heads", "n_kv_heads")}
