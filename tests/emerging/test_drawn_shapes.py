import math

import pytest
import torch

from llmcourse.emerging import draw_shapes
from llmcourse.emerging.drawn_shapes import COLOURS, PLACES, SHAPES


def ink(image):
    """Where an image without noise is not ground."""
    return (image - 0.5).abs().amax(0) > 0.05


def test_captions_say_what_is_drawn():
    drawn = draw_shapes(800, noise=0.0)  # all 64 captions: one is missing with probability 64 (63 / 64)^800, 0.0002
    for image, caption in zip(drawn.images, drawn.captions, strict=True):
        _, colour, shape, _, _, row, column = caption.split()
        inked = ink(image)
        torch.testing.assert_close(image[:, inked][:, 0], torch.tensor(COLOURS[colour]))
        assert shape in SHAPES
        rows, columns = inked.nonzero().unbind(1)
        assert bool(((rows >= 16) == (row == "bottom")).all())
        assert bool(((columns >= 16) == (column == "right")).all())
    assert len(set(drawn.captions)) == len(COLOURS) * len(SHAPES) * len(PLACES)


def test_areas_are_those_of_the_shapes():
    """Against the formulas for a shape within its box, on a fine grid."""
    drawn = draw_shapes(60, size=256, noise=0.0, seed=3)
    share = {"circle": math.pi / 4, "square": 1.0, "triangle": 0.5, "cross": 0.3 + 0.3 - 0.09}
    for image, caption in zip(drawn.images, drawn.captions, strict=True):
        inked = ink(image)
        rows, columns = inked.any(1).sum(), inked.any(0).sum()
        assert int(inked.sum()) / int(rows * columns) == pytest.approx(share[caption.split()[2]], abs=0.03), caption


def test_the_same_seed_draws_the_same_and_others_do_not():
    first, again, other = draw_shapes(5), draw_shapes(5), draw_shapes(5, seed=1)
    assert torch.equal(first.images, again.images)
    assert first.captions == again.captions
    assert not torch.equal(first.images, other.images)
    assert 0 <= float(first.images.min()) <= float(first.images.max()) <= 1


@pytest.mark.parametrize("options", [{"n": 0}, {"n": 1, "size": 8}, {"n": 1, "noise": -1}])
def test_refuses(options):
    with pytest.raises(ValueError, match="give at least 1, 16 and 0"):
        draw_shapes(**options)
