"""One style, and colours that can be told apart."""

import itertools

import matplotlib
import pytest
from matplotlib.colors import to_rgb

from llmcourse.plotting import COLORS, OKABE_ITO, use_style


def luminance(color: str) -> float:
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def test_the_style_is_set() -> None:
    with matplotlib.rc_context():
        use_style()
        assert matplotlib.rcParams["axes.spines.right"] is False
        assert matplotlib.rcParams["axes.prop_cycle"].by_key()["color"][0] == OKABE_ITO["blue"]


def test_ink_on_white_has_the_contrast_that_text_needs() -> None:
    for name in ("ink", "reference"):
        assert 1.05 / (luminance(COLORS[name]) + 0.05) >= 4.5, name


@pytest.mark.parametrize(
    ("one", "other"), list(itertools.combinations(["bpe", "unigram", "characters", "words", "bytes"], 2))
)
def test_concepts_have_colours_of_their_own(one: str, other: str) -> None:
    assert COLORS[one] != COLORS[other]
