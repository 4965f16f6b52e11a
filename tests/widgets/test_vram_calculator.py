"""The VRAM calculator computes in JavaScript what the package computes."""

import random
import re

import pytest

from llmcourse.lineage import parameter_count_of
from llmcourse.widgets import VRAMCalculator, vram_calculator

CHOICES = {
    "bits": vram_calculator.BITS,
    "context": vram_calculator.CONTEXTS,
    "batch_size": vram_calculator.BATCHES,
    "kv_bits": vram_calculator.BITS,
    "n_gpus": vram_calculator.GPUS,
}
NAMES = [shape["name"] for shape in VRAMCalculator().models]


def random_case(seed):
    rng = random.Random(seed)
    model = rng.choice(NAMES)
    case = {name: rng.choice(values) for name, values in CHOICES.items()}
    heads = next(shape["n_heads"] for shape in VRAMCalculator().models if shape["name"] == model)
    if heads % case["n_gpus"]:
        case["n_gpus"] = 1
    return case | {"model": model, "billions": round(10 ** rng.uniform(-1, 3), 2)}


CASES = [random_case(seed) for seed in range(120)]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    shapes = {shape["name"]: shape for shape in VRAMCalculator().models}
    cases = [case | {"shape": shapes[case["model"]]} for case in CASES]
    harness = """process.stdout.write(JSON.stringify({ answers: cases.map(lib.estimate),
      formatted: [lib.formatGB(35e9), lib.formatGiB(2 ** 30), lib.formatGB(9.999e9)],
      cards: [7e9, 43e9, 1e12].map(lib.card),
      gpus: cases.map(({ shape }) => lib.gpusFor(shape, [1, 2, 4, 8])) }));"""
    return run_javascript(vram_calculator, harness, cases)


def test_javascript_equals_the_package_on_random_choices(javascript):
    for case, found in zip(CASES, javascript["answers"], strict=True):
        estimate = VRAMCalculator(**case).estimate
        assert found["weights"] == pytest.approx(estimate.weight_bytes, rel=1e-12, abs=1)
        assert found["cache"] == estimate.kv_cache_bytes
        assert found["activations"] == estimate.activation_bytes
        assert found["total"] == pytest.approx(estimate.total_bytes, rel=1e-12, abs=1)


def test_it_opens_on_70_billion_in_4_bits():
    assert VRAMCalculator().estimate.weight_bytes == 35_000_000_000


def test_a_models_own_count_is_that_of_its_configuration():
    calculator = VRAMCalculator(model="Llama 3 8B", billions=None, bits=16)
    assert calculator.billions == round(parameter_count_of("Llama 3 8B") / 1e9, 2) == 8.03


def test_only_gpus_over_which_heads_spread_are_offered(javascript):
    for case, found in zip(CASES, javascript["gpus"], strict=True):
        for n_gpus in vram_calculator.GPUS:
            if n_gpus in found:
                assert VRAMCalculator(**case | {"n_gpus": n_gpus}).estimate.n_gpus == n_gpus
            else:
                with pytest.raises(ValueError, match="spread unequally"):
                    VRAMCalculator(**case | {"n_gpus": n_gpus})
        assert found == list(vram_calculator.GPUS[: len(found)])  # so that the slider's place is that in the list
    assert sorted(map(len, javascript["gpus"]))[0] < len(vram_calculator.GPUS)


def test_the_slider_has_a_place_for_every_models_count():
    for name in NAMES:
        calculator = VRAMCalculator(model=name, billions=None)
        assert calculator.billions in calculator.choices["billions"]
    assert 70 in VRAMCalculator().choices["billions"]


def test_numbers_and_cards_are_written_as_people_say_them(javascript):
    assert javascript["formatted"] == ["35.0 GB", "1.00 GiB", "10.0 GB"]
    assert javascript["cards"] == ["8 GB", "48 GB", "none of 192 GB"]


@pytest.mark.browser
def test_another_model_takes_no_more_gpus_than_its_heads_allow(browser):
    page = browser.new_page()
    page.set_content(VRAMCalculator(n_gpus=8).static_html())
    page.get_by_label("Shape of").select_option("Qwen2.5 7B")  # 28 heads
    assert page.locator("output").last.inner_text() == "4"
    calculator = VRAMCalculator(model="Qwen2.5 7B", billions=None, n_gpus=4)
    assert page.locator("dd").first.inner_text() == f"{calculator.estimate.weight_bytes / 1e9:.2f} GB"
    page.close()


def test_output_is_stable():
    assert VRAMCalculator().static_html() == VRAMCalculator().static_html()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "GPT-4"}, "model is 'GPT-4': choose one of Llama 3 70B"),
        ({"models": ["Llama 3 70B", "Mistral 7B"]}, "Mistral 7B has a latent, a window or no SwiGLU"),
        ({"billions": 0.0}, "billions is 0.0: give 0.1 to 1000"),
        ({"bits": 7}, "bits is 7: choose one of 2.0"),
        ({"n_gpus": 3}, "n_gpus is 3: choose one of 1, 2, 4, 8"),
        ({"model": "Qwen2.5 7B", "n_gpus": 8}, "n_gpus is 8: the 28 heads of Qwen2.5 7B spread unequally"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        VRAMCalculator(**options)
