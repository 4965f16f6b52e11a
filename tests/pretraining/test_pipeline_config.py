import pytest

from llmcourse.pretraining import PipelineConfig


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"near_duplicates": 0.0}, r"near_duplicates is 0\.0"),
        ({"quality": 1.5}, r"quality is 1\.5"),
        ({"vocab_size": 12}, "vocab_size is 12"),
    ],
)
def test_bad_settings_are_quoted(changes, message):
    with pytest.raises(ValueError, match=message):
        PipelineConfig(**changes)
