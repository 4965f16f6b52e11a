import pytest

from llmcourse.architecture import ModelConfig
from llmcourse.architecture.huggingface_config import read_common, refuse_unknown, write_common

CONFIG = ModelConfig(vocab_size=32, d_model=16, n_layers=3, n_heads=4, rope_theta=5e5)


def test_what_is_written_reads_back():
    scaled = ModelConfig(
        vocab_size=32, d_model=16, n_layers=3, n_heads=4, rope_scaling={"type": "linear", "factor": 2.0}
    )
    for config in (CONFIG, scaled):
        given = write_common(config)
        assert ModelConfig(**read_common(given)) == config
        old = {key: value for key, value in given.items() if key != "rope_parameters"}
        new = {key: value for key, value in given.items() if key not in ("rope_theta", "rope_scaling")}
        assert ModelConfig(**read_common(old)) == ModelConfig(**read_common(new)) == config


def test_the_oldest_name_of_a_rope_type():
    given = write_common(CONFIG) | {"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2.0}}
    assert read_common(given)["rope_scaling"] == {"type": "linear", "factor": 2.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": None}, "'vocab_size' is missing"),
        ({"rope_parameters": {"full_attention": {"rope_type": "default"}}}, "differs between layers"),
        ({"rope_parameters": {"rope_type": "default", "factor": 2.0}}, "has 'factor', which needs a rope_type"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        read_common(write_common(CONFIG) | changes)


def test_unknown_keys():
    refuse_unknown(write_common(CONFIG) | {"use_cache": True, "pad_token_id": 0, "new": None, "newer": False}, set())
    refuse_unknown({"mine": 3}, {"mine"})
    with pytest.raises(ValueError, match=r"'theirs' \(3\) is not supported"):
        refuse_unknown({"theirs": 3}, {"mine"})
    with pytest.raises(ValueError, match="mine is 3"):
        refuse_unknown({"mine": 3}, set(), fixed={"mine": (1, 2)})
    with pytest.raises(ValueError, match=r"attention_dropout is 0\.1"):
        refuse_unknown({"attention_dropout": 0.1}, set())
