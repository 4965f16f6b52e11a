"""Cards tell what is known and say what is not."""

import re

import pytest

from llmcourse.lineage import MODELS, derived_numbers, kv_bytes_per_token, model_card, parameter_count_of


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_has_a_card(name: str) -> None:
    model, card = MODELS[name], model_card(name)
    text = str(card)
    assert text.startswith(name) and model.sources[0] in text and model.checked.isoformat() in text
    for field in model.undisclosed:
        assert f"{field.replace('_', ' ')}: not disclosed" in text
    if model.blueprint is not None:
        assert f"{parameter_count_of(name):,} parameters" in text
        assert f"{kv_bytes_per_token(name):,} bytes a token" in text


def test_a_card_in_a_page_is_a_table_with_its_text_escaped() -> None:
    html = model_card("Claude 3.5 Sonnet")._repr_html_()
    assert repr(model_card("GPT-4")) == str(model_card("GPT-4"))
    assert html.count("<tr>") == len(model_card("Claude 3.5 Sonnet").rows)
    assert "<caption>Claude 3.5 Sonnet</caption>" in html
    assert "gpt-oss-120b &amp; gpt-oss-20b" in model_card("gpt-oss-20b")._repr_html_()
    assert not re.search(r"&(?!\w+;|#)", html)


def test_an_estimate_is_marked_as_one_with_its_source() -> None:
    text = str(model_card("GPT-4"))
    assert "parameters: not disclosed" in text
    assert "estimate" in text and "SemiAnalysis" in text


def test_a_note_says_why_counts_differ() -> None:
    assert "vision encoder" in str(model_card("Gemma 3 27B"))
    assert "6,738,415,616 work" not in str(model_card("Llama 2 7B"))
    active = parameter_count_of("Mixtral 8x7B", active=True)
    assert f"of which {active:,} work on a token" in str(model_card("Mixtral 8x7B"))


def test_derived_numbers_of_llama_2_70b() -> None:
    """The document's own: 140 GB in FP16 for "70B", a quarter of it in INT4, 1.25 GiB of cache for 4096 tokens."""
    model = MODELS["Llama 2 70B"]
    assert model.blueprint is not None
    numbers = derived_numbers(model.blueprint, context=4096)
    assert numbers["fp16_gb"] == pytest.approx(137.95, abs=0.01)
    assert numbers["int4_gb"] == pytest.approx(numbers["fp16_gb"] / 4)
    assert numbers["kv_gib"] == 1.25
    assert numbers["gflop"] == pytest.approx(2 * (68.977 - 0.262), abs=0.01)
    assert numbers["gflop_at_context"] - numbers["gflop"] == pytest.approx(4 * 64 * 128 * 80 * 4096 / 1e9)


def test_an_unknown_model_has_no_card() -> None:
    with pytest.raises(ValueError, match=r"no model 'GPT-9'"):
        model_card("GPT-9")
