"""Drawings with captions: coloured shapes on a grey ground, as many as one likes, and all known about each."""

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

__all__ = ["COLOURS", "PLACES", "SHAPES", "DrawnShapes", "draw_shapes"]

COLOURS: Final = {"red": (0.9, 0.1, 0.1), "green": (0.1, 0.7, 0.2), "blue": (0.1, 0.2, 0.9), "yellow": (0.9, 0.8, 0.1)}
SHAPES: Final = ("circle", "square", "triangle", "cross")
PLACES: Final = ("top left", "top right", "bottom left", "bottom right")


@dataclass(frozen=True)
class DrawnShapes:
    """Drawings and what they show.

    Attributes:
        images: (B, 3, size, size), from 0 to 1.
        captions: "a red circle at the top left", one for each.
    """

    images: Float[Tensor, "B 3 H W"]
    captions: list[str]


def draw_shapes(n: int, *, size: int = 32, noise: float = 0.05, seed: int = 0) -> DrawnShapes:
    """Draw one shape on each image, in a colour and a quarter of the image that are drawn by lot.

    Within its quarter a shape's centre and radius vary, and every pixel has some noise, so that no two images are the
    same and a caption cannot be read off single pixels. There are 4 colours, 4 shapes and 4 places: 64 captions.

    Args:
        n: How many.
        size: Pixels along an edge, 16 or more.
        noise: Standard deviation of what is added to each pixel.
        seed: The same seed draws the same.

    Returns:
        Images and captions.

    Raises:
        ValueError: A number is out of its range.

    Example:
        >>> drawn = draw_shapes(2)
        >>> drawn.images.shape, len(drawn.captions), drawn.captions[0].split()[0]
        (torch.Size([2, 3, 32, 32]), 2, 'a')
    """
    if n < 1 or size < 16 or noise < 0:
        raise ValueError(f"n is {n}, size {size} and noise {noise}: give at least 1, 16 and 0")
    generator = torch.Generator().manual_seed(seed)
    images, captions = torch.full((n, 3, size, size), 0.5), list[str]()
    for image in images:
        colour, shape, place = (int(part) for part in torch.randint(4, (3,), generator=generator))
        row, column, grown = torch.rand(3, generator=generator).tolist()
        quarter = size / 2
        radius = quarter * (0.25 + 0.1 * grown)
        centre_row = quarter * (place // 2) + radius + row * (quarter - 2 * radius)
        centre_column = quarter * (place % 2) + radius + column * (quarter - 2 * radius)
        inside = _inside(SHAPES[shape], size, centre_row, centre_column, radius)
        name = list(COLOURS)[colour]
        image[:, inside] = torch.tensor(COLOURS[name]).unsqueeze(-1)
        captions.append(f"a {name} {SHAPES[shape]} at the {PLACES[place]}")
    images = images + noise * torch.randn(images.shape, generator=generator)
    return DrawnShapes(images.clamp(0, 1), captions)


def _inside(shape: str, size: int, row: float, column: float, radius: float) -> Bool[Tensor, "H W"]:
    """Return which pixels' middles lie within the shape."""
    middles = torch.arange(size) + 0.5
    down, right = (middles - row).unsqueeze(1) / radius, (middles - column).unsqueeze(0) / radius
    if shape == "circle":
        return down**2 + right**2 <= 1
    box = (down.abs() <= 1) & (right.abs() <= 1)
    if shape == "square":
        return box
    if shape == "triangle":  # as wide as it is far from its top
        return box & (right.abs() <= (down + 1) / 2)
    return box & ((down.abs() <= 0.3) | (right.abs() <= 0.3))
