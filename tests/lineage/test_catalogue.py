"""The data: that each number stands or is said to be missing, and that published and derived counts agree."""

import datetime

import pytest

from llmcourse.lineage import (
    MODELS,
    Estimate,
    Model,
    blueprint_of,
    find_model,
    kv_bytes_per_token,
    parameter_count_of,
    parameter_parts,
    read_models,
)

FAMILY = """
[[family]]
name = "Small"
organisation = "Us"
year = 2024
month = 5
weights = "open"
licence = "MIT"
known_for = "being small"
training_tokens = 1e9
context = 128
sources = ["a report"]
checked = 2026-01-01
blueprint = { vocab_size = 10, d_model = 8, n_layers = 1, n_heads = 2, n_kv_heads = 2, head_dim = 4, d_ff = 16 }

[[family.model]]
name = "Small A"
parameters = 800
blueprint = { n_layers = 1 }

[[family.model]]
name = "Small B"
parameters = 1500
month = 4
blueprint = { n_layers = 2 }
"""
FIELDS = {
    "name": "X",
    "family": "X",
    "organisation": "Us",
    "year": 2024,
    "month": 1,
    "weights": "closed",
    "licence": "none",
    "known_for": "nothing",
    "sources": ("a report",),
    "checked": datetime.date(2026, 1, 1),
    "undisclosed": ("parameters", "training_tokens", "context"),
}


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.blueprint and model.parameters])
def test_derived_and_published_counts_agree_or_a_note_says_why(name: str) -> None:
    model = MODELS[name]
    assert model.parameters is not None
    pairs = [(parameter_count_of(name), model.parameters)]
    if model.active_parameters is not None:
        pairs.append((parameter_count_of(name, active=True), model.active_parameters))
    far = [derived for derived, published in pairs if abs(derived / published - 1) > 0.005]
    assert bool(far) == bool(model.count_note), f"{name}: {far} against {pairs}"
    assert all(abs(derived / published - 1) < 0.5 for derived, published in pairs)


@pytest.mark.parametrize("name", list(MODELS))
def test_parents_are_older(name: str) -> None:
    by_family = {model.family: model for model in reversed(MODELS.values())}
    for parent in MODELS[name].parents:
        known = MODELS.get(parent) or by_family.get(parent)
        assert known is None or known.date <= MODELS[name].date, parent


def test_kv_bytes_of_known_models() -> None:
    """facts: Llama 2 7B at 4k is 2 GiB, Llama 3 8B at 8k 1 GiB, Llama 3 70B at 32k 10 GiB; MLA is 61 (512 + 64) 2."""
    assert kv_bytes_per_token("Llama 2 7B") * 4096 == 2 * 2**30
    assert kv_bytes_per_token("Llama 3 8B") * 8192 == 2**30
    assert kv_bytes_per_token("Llama 3 70B") * 32_768 == 10 * 2**30
    assert kv_bytes_per_token("DeepSeek-V3") == 61 * (512 + 64) * 2 == 70_272


def test_counts_of_known_models() -> None:
    assert parameter_count_of("Llama 3 8B") == 8_030_261_248
    assert parameter_count_of("Llama 2 70B") == 68_976_648_192
    assert parameter_count_of("Mixtral 8x7B") == 46_702_792_704
    tokens = MODELS["Llama 2 70B"].training_tokens
    assert tokens is not None and round(tokens / parameter_count_of("Llama 2 70B"), 1) == 29.0


def test_a_family_is_joined_with_its_models() -> None:
    models = read_models(FAMILY)
    assert list(models) == ["Small B", "Small A"]  # by date
    small = models["Small B"]
    assert small.blueprint is not None
    assert (small.family, small.blueprint.n_layers, small.blueprint.d_model) == ("Small", 2, 8)
    assert parameter_count_of(models["Small A"]) == 2 * 80 + 4 * 64 + 3 * 128 + 3 * 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"Small B"', '"Small A"'), r"comes twice: \['Small A'\]"),
        (("training_tokens = 1e9", ""), r"Small A: training_tokens is None: a number, or a word in undisclosed"),
        (("n_layers = 2 }", "n_layers = 2, depth = 3 }"), r"Small B: .*depth"),
        (("licence = \"MIT\"", "licence = \"\""), r"Small A: licence is empty"),
        (("month = 4", "month = 14"), r"Small B: year is 2024 and month 14"),
        (("parameters = 800", "parameters = -1"), r"parameters is -1"),
    ],
)  # fmt: skip
def test_the_file_checks_itself(change: tuple[str, str], message: str) -> None:
    assert change[0] in FAMILY
    with pytest.raises(ValueError, match=message):
        read_models(FAMILY.replace(*change))


def test_what_a_model_refuses() -> None:
    assert Model(**FIELDS).verified
    guess = Estimate(field="context", value="much", source="somebody")
    assert Model(**FIELDS, estimates=(guess,)).estimates == (guess,)
    for change, message in (
        ({"weights": "open"}, r"weights are open, so give its blueprint"),
        ({"weights": "half"}, r"weights is 'half'"),
        ({"parameters": 5.0}, r"parameters is 5.0"),
        ({"undisclosed": ("parameters", "context")}, r"training_tokens is None"),
        ({"estimates": (Estimate(field="active_parameters", value="1", source="s"),)}, r"is estimated"),
    ):
        with pytest.raises(ValueError, match=message):
            Model(**FIELDS | change)
    with pytest.raises(ValueError, match=r"an estimate is of one of"):
        Estimate(field="colour", value="red", source="me")


def test_a_number_that_no_source_confirms_may_stand_and_is_marked() -> None:
    model = Model(**FIELDS | {"undisclosed": ("parameters", "context"), "unverified": ("training_tokens",)})
    assert not model.verified
    assert not Model(**FIELDS | {"undisclosed": ("parameters", "context"), "unverified": ("training_tokens",),
                                 "training_tokens": 1e9}).verified  # fmt: skip


def test_an_unknown_name_and_a_closed_model() -> None:
    with pytest.raises(ValueError, match=r"no model 'Llama 2 71B': perhaps 'Llama 2 7B'|'Llama 2 70B'"):
        find_model("Llama 2 71B")
    with pytest.raises(ValueError, match=r"Us has not published what X is built of"):
        blueprint_of(Model(**FIELDS))
    assert find_model("MIXTRAL 8X7B").name == "Mixtral 8x7B"
    assert parameter_parts(blueprint_of("Mixtral 8x7B")).total == parameter_count_of(MODELS["Mixtral 8x7B"])
