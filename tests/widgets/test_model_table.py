"""The table of models derives in JavaScript what the package derives in Python, and sorts and filters as it does."""

import itertools
import random
import re
from typing import Any

import pytest

from llmcourse.architecture import LatentAttentionConfig
from llmcourse.lineage import MODELS, Blueprint, Experts, flops_of_token, kv_bytes, parameter_parts
from llmcourse.widgets import ModelTable, model_table
from llmcourse.widgets.model_table import COLUMNS, _compact

DERIVED = """
const answer = ({ blueprint, seq_len }) => ({
  ...lib.parameterParts(blueprint), kv: lib.kvBytes(blueprint, seq_len), flops: lib.flopsOfToken(blueprint, seq_len),
});
process.stdout.write(JSON.stringify(cases.map(answer)));
"""
SELECTED = """
const answer = ({ models, state }) => lib.select(models, state).map((m) => m.name);
process.stdout.write(JSON.stringify(cases.map(answer)));
"""
NUMBERS = """
process.stdout.write(JSON.stringify(cases.map(({ model, context }) => lib.numbersOf(model, context))));
"""
SHORT = "process.stdout.write(JSON.stringify(cases.map(lib.short)));"


def random_blueprint(seed: int) -> Blueprint:
    rng = random.Random(seed)
    kv, layers = rng.randint(1, 4), rng.randint(1, 9)
    experts = Experts(
        n_experts=rng.randint(3, 9), top_k=rng.randint(1, 3), d_expert=rng.randint(1, 40),
        shared_width=rng.choice([0, 24]), shared_gate=rng.random() < 0.5, dense_first=rng.randint(0, 2),
        every=rng.randint(1, 2), biases=rng.random() < 0.5,
    )  # fmt: skip
    latent = LatentAttentionConfig(
        kv_rank=rng.randint(1, 30), q_rank=rng.choice([None, 7]), nope_head_dim=rng.randint(1, 9), rope_head_dim=4,
        value_head_dim=rng.randint(1, 9),
    )  # fmt: skip
    learned = rng.choice([0, 50])
    return Blueprint(
        vocab_size=rng.randint(10, 999), d_model=rng.randint(4, 99), n_layers=layers, n_heads=kv * rng.randint(1, 4),
        n_kv_heads=kv, head_dim=rng.randint(2, 40), d_ff=rng.randint(1, 200), norm_bias=rng.random() < 0.5,
        feed_forward=rng.choice(["swiglu", "geglu", "gelu", "relu"]), norms_per_layer=rng.choice([1, 2, 4]),
        tie_embeddings=rng.random() < 0.5, position="learned" if learned else "rope", learned_positions=learned,
        qkv_bias=rng.random() < 0.5, output_bias=rng.random() < 0.5, feed_forward_bias=rng.random() < 0.5,
        qk_norm=rng.choice(["none", "head", "width", "unit"]), sinks=rng.random() < 0.5, window=13,
        full_every=rng.randint(0, 3), latent=rng.choice([None, latent]), experts=rng.choice([None, experts]),
    )  # fmt: skip


def test_javascript_derives_what_python_derives(run_javascript) -> None:
    real = [model.blueprint for model in MODELS.values() if model.blueprint]
    cases = [(b, n) for b in (*map(random_blueprint, range(300)), *real) for n in (0, 1, 12, 14, 100_000)]
    told = [{"blueprint": _compact(blueprint), "seq_len": n} for blueprint, n in cases]
    for (blueprint, n), found in zip(cases, run_javascript(model_table, DERIVED, told), strict=True):
        parts = parameter_parts(blueprint)
        assert found == {
            "total": parts.total, "active": parts.active, "multiplied": parts.multiplied, "kv": kv_bytes(blueprint, n),
            "flops": flops_of_token(blueprint, n),
        }, blueprint  # fmt: skip


def test_javascript_shows_what_python_shows(run_javascript) -> None:
    cases = [(name, context) for name in MODELS for context in (1024, 131_072)]
    rows = {row["name"]: row for row in ModelTable().models}
    found = run_javascript(model_table, NUMBERS, [{"model": rows[name], "context": n} for name, n in cases])
    for (name, context), numbers in zip(cases, found, strict=True):
        expected = ModelTable(context=context).numbers(name)
        assert numbers.keys() == expected.keys() == set(itertools.chain(*COLUMNS.values()))
        for column, value in expected.items():
            assert numbers[column] == (None if value is None else pytest.approx(value, rel=1e-12)), (name, column)


def test_javascript_filters_and_sorts_as_python_does(run_javascript) -> None:
    rng = random.Random(0)
    columns = ["name", "date", "organisation", *itertools.chain(*COLUMNS.values())]
    tables = [
        ModelTable(
            text=rng.choice(["", "", "llama", "MoE", "7b", "nothing at all"]),
            organisation=rng.choice(["", "", "OpenAI", "Google"]), choice=rng.choice(["", "", "MoE", "GQA"]),
            open_only=rng.random() < 0.3, sort_by=columns[i % len(columns)], descending=rng.random() < 0.5,
            context=rng.choice([1024, 32_768]),
        )
        for i in range(60)
    ]  # fmt: skip
    cases = [{"models": table.models, "state": table.state()} for table in tables]
    for table, names in zip(tables, run_javascript(model_table, SELECTED, cases), strict=True):
        assert names == table.shown, table.state() | {"models": "..."}


def test_counts_are_written_to_three_digits(run_javascript) -> None:
    written = run_javascript(model_table, SHORT, [671_026_404_352, 1.5e13, 494_032_768, 8_030_261_248, 512])
    assert written == ["671B", "15T", "494M", "8.03B", "512"]


def test_what_is_not_known_stands_last_in_both_directions() -> None:
    for descending in (False, True):
        shown = ModelTable(sort_by="parameters", descending=descending).shown
        unknown = [name for name in shown if ModelTable().numbers(name)["parameters"] is None]
        assert unknown and shown[-len(unknown) :] == unknown and "GPT-4" in unknown


def test_numbers_of_a_closed_model_are_those_published() -> None:
    numbers = ModelTable().numbers("Chinchilla")
    assert (numbers["parameters"], numbers["tokens_per_parameter"], numbers["kv_bytes"]) == (70e9, 20.0, None)


def test_training_flops_are_three_forward_passes_of_the_weights() -> None:
    """Llama 3.1 405B: 3.8e25 FLOP by its report, 6 N D on 15.6T tokens."""
    assert ModelTable().numbers("Llama 3.1 405B")["training_flop"] == pytest.approx(3.8e25, rel=0.02)


def test_output_is_stable() -> None:
    table = ModelTable(["Llama 3 8B", "GPT-4"], compared=["GPT-4", "GPT-4"])
    assert repr(table) == "ModelTable(2 models, 2 shown, 1 compared)"
    assert table.static_html() == ModelTable(["Llama 3 8B", "GPT-4"], compared=["GPT-4"]).static_html()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["Llama 3 9B"]}, "there is no model 'Llama 3 9B'"),
        ({"organisation": "Nobody"}, "organisation is 'Nobody': choose one of ''"),
        ({"choice": "magic"}, "choice is 'magic'"),
        ({"sort_by": "beauty"}, "sort_by is 'beauty'"),
        ({"columns": "all"}, "columns is 'all'"),
        ({"context": 5}, "context is 5: it must be from 1024 to 131072"),
        ({"compared": ["GPT-4", "GPT-3", "PaLM 8B", "ChatGPT"]}, "compared has 4 names: at most 3"),
        ({"models": ["GPT-4"], "compared": ["GPT-3"]}, "compared is 'GPT-3': choose one of 'GPT-4'"),
    ],
)
def test_bad_input_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        ModelTable(**options)
