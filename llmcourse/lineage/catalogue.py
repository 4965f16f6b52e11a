"""``MODELS``: what the data file holds, read and checked once; and numbers derived from it by a model's name."""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import resources
from types import MappingProxyType
from typing import Any

from llmcourse.lineage.blueprint import Blueprint
from llmcourse.lineage.memory_and_compute import kv_bytes
from llmcourse.lineage.model import Model
from llmcourse.lineage.parameter_parts import parameter_parts

__all__ = ["MODELS", "blueprint_of", "find_model", "kv_bytes_per_token", "parameter_count_of", "read_models"]


def read_models(text: str) -> dict[str, Model]:
    r"""Read models from TOML: families, what all their models share, and what each says beside it.

    Args:
        text: Of a file like ``models.toml``.

    Returns:
        Models by name, in order of release.

    Raises:
        ValueError: A field is wrong, a name comes twice, or a parent later than its child.
    """
    models = [Model.read(table) for table in _tables(tomllib.loads(text))]
    by_name = {model.name: model for model in sorted(models, key=lambda model: (model.date, model.name))}
    if len(by_name) < len(models):
        names = [model.name for model in models]
        raise ValueError(f"a name comes twice: {sorted(name for name in set(names) if names.count(name) > 1)}")
    return by_name


def _tables(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Join what a family says with what each of its models says."""
    for family in data["family"]:
        shared = {key: value for key, value in family.items() if key not in ("name", "model")}
        for own in family["model"]:
            joined = shared | own | {"family": family["name"]}
            if "blueprint" in own:
                joined["blueprint"] = shared.get("blueprint", {}) | own["blueprint"]
            yield joined


MODELS: Mapping[str, Model] = MappingProxyType(
    read_models(resources.files("llmcourse.lineage").joinpath("models.toml").read_text(encoding="utf-8"))
)


def find_model(name: str) -> Model:
    r"""Return a model of ``MODELS`` by its name, in whatever case.

    Args:
        name: Such as "Llama 3 8B".

    Returns:
        What is known of it.

    Raises:
        ValueError: There is none of that name; says which are near.

    Example:
        >>> find_model("llama 2 70b").training_tokens
        2000000000000.0
    """
    names = {known.casefold(): known for known in MODELS}
    if name.casefold() not in names:
        near = get_close_matches(name.casefold(), names, n=3, cutoff=0.3)
        hint = " or ".join(repr(names[each]) for each in near) or f"one of {', '.join(MODELS)}"
        raise ValueError(f"there is no model {name!r}: perhaps {hint}")
    return MODELS[names[name.casefold()]]


def blueprint_of(model: str | Model | Blueprint) -> Blueprint:
    r"""Return what a model is built of.

    Args:
        model: A name in ``MODELS``, a model, or a blueprint itself.

    Returns:
        Its blueprint.

    Raises:
        ValueError: None is published.
    """
    if isinstance(model, Blueprint):
        return model
    model = find_model(model) if isinstance(model, str) else model
    if model.blueprint is None:
        raise ValueError(f"{model.organisation} has not published what {model.name} is built of")
    return model.blueprint


def parameter_count_of(model: str | Model | Blueprint, *, active: bool = False) -> int:
    r"""Return the exact number of parameters, derived from sizes and choices alone.

    Args:
        model: A name in ``MODELS``, a model, or a blueprint.
        active: Count only those that work on a token.

    Returns:
        Parameters; see :func:`llmcourse.lineage.parameter_parts` for the parts.

    Raises:
        ValueError: The model is unknown, or its sizes are not published.

    Example:
        >>> f"{parameter_count_of('Llama 3 8B'):,}"
        '8,030,261,248'
        >>> counts = parameter_count_of("DeepSeek-V3"), parameter_count_of("DeepSeek-V3", active=True)
        >>> [f"{count / 1e9:.1f}B" for count in counts]
        ['671.0B', '37.6B']
    """
    parts = parameter_parts(blueprint_of(model))
    return parts.active if active else parts.total


def kv_bytes_per_token(model: str | Model | Blueprint, *, bytes_per_element: float = 2) -> int:
    r"""Return what one more token adds to the cache of keys and values, all layers together.

    As long as no window is full; :func:`llmcourse.lineage.kv_bytes` counts windows.

    Args:
        model: A name in ``MODELS``, a model, or a blueprint.
        bytes_per_element: 2 for fp16 and bf16.

    Returns:
        Bytes.

    Raises:
        ValueError: The model is unknown, or its sizes are not published.

    Example:
        >>> [kv_bytes_per_token(name) for name in ("Llama 2 7B", "Llama 2 70B", "DeepSeek-V3")]
        [524288, 327680, 70272]
    """
    return kv_bytes(blueprint_of(model), 1, bytes_per_element=bytes_per_element)
