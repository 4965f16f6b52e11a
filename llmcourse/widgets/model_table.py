"""A table of released models to sort, to filter and to compare, with what follows from their sizes."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import traitlets

from llmcourse.lineage import MODELS, Blueprint, Experts, Model, derived_numbers, find_model
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["ModelTable"]

_HERE = Path(__file__).parent
_CONTEXTS: Final = (1024, 131_072)
_MOST_COMPARED: Final = 3
COLUMNS: Final = {
    "size": ("parameters", "active_parameters", "fp16_gb", "int4_gb"),
    "use": ("kv_bytes", "kv_gib", "gflop_at_context", "context"),
    "training": ("training_tokens", "tokens_per_parameter", "training_flop"),
}
_SORTED_BY: Final = ("name", "date", "organisation", *(name for group in COLUMNS.values() for name in group))


class ModelTable(StaticWidget):
    r"""Search, filter and sort models, and set up to three of them side by side.

    The page derives all numbers itself, from the models' blueprints, as :func:`llmcourse.lineage.derived_numbers` does
    here. Where a developer has published nothing there is nothing to derive, and the table says so.

    Args:
        models: Names in ``MODELS``; all of them unless given.
        text: What a name, a developer or a feature has to contain.
        organisation: A developer; "" is any.
        choice: One of the choices of a blueprint, such as "MoE"; "" is any.
        open_only: Leave out models whose weights are not given out.
        columns: "size", "use" or "training".
        sort_by: The column that orders the rows: "name", "date", "organisation", or one of a group of columns.
        descending: From the largest down. What is not known stands last in any case.
        context: Tokens for which cache and operations are counted, from 1024 to 131072.
        compared: Names of models that stand side by side, at most three.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A name or a choice is unknown, or a number is out of range.

    Examples:
        >>> table = ModelTable(text="deepseek", sort_by="parameters", descending=False)
        >>> table.shown
        ['DeepSeek-V2-Lite', 'DeepSeek-V2', 'DeepSeek-V3', 'DeepSeek-R1']
        >>> table
        ModelTable(77 models, 4 shown, 0 compared)
    """

    _esm = _HERE / "model_table.js"
    _css = styled(_HERE / "model_table.css")
    caption = "An interactive table of models: it runs in the book's pages and in JupyterLab."

    models = traitlets.List(read_only=True).tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    organisation = traitlets.Unicode("").tag(sync=True)
    choice = traitlets.Unicode("").tag(sync=True)
    open_only = traitlets.Bool(False).tag(sync=True)
    columns = traitlets.Enum(list(COLUMNS), "size").tag(sync=True)
    sort_by = traitlets.Unicode("date").tag(sync=True)
    descending = traitlets.Bool(True).tag(sync=True)
    context = traitlets.Int(8192).tag(sync=True)
    compared = traitlets.List(trait=traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        models: Iterable[str] | None = None,
        *,
        text: str = "",
        organisation: str = "",
        choice: str = "",
        open_only: bool = False,
        columns: str = "size",
        sort_by: str = "date",
        descending: bool = True,
        context: int = 8192,
        compared: Iterable[str] = (),
        **traits: Any,
    ) -> None:
        self.chosen = list(MODELS.values()) if models is None else [find_model(name) for name in models]
        self.set_trait("models", [_row(model) for model in self.chosen])
        super().__init__(
            text=text, organisation=organisation, choice=choice, open_only=open_only, sort_by=sort_by,
            descending=descending, context=context, **traits,
        )  # fmt: skip
        if columns not in COLUMNS:
            raise ValueError(f"columns is {columns!r}: choose one of {', '.join(map(repr, COLUMNS))}")
        self.columns, self.compared = columns, list(compared)

    @traitlets.validate("organisation")
    def _known_organisation(self, proposal: dict[str, Any]) -> str:
        return _one_of("organisation", proposal["value"], {model.organisation for model in self.chosen} | {""})

    @traitlets.validate("choice")
    def _known_choice(self, proposal: dict[str, Any]) -> str:
        made = {choice for model in self.chosen if model.blueprint for choice in model.blueprint.choices}
        return _one_of("choice", proposal["value"], made | {""})

    @traitlets.validate("sort_by")
    def _known_column(self, proposal: dict[str, Any]) -> str:
        return _one_of("sort_by", proposal["value"], set(_SORTED_BY))

    @traitlets.validate("context")
    def _in_range(self, proposal: dict[str, Any]) -> int:
        low, high = _CONTEXTS
        if not low <= proposal["value"] <= high:
            raise ValueError(f"context is {proposal['value']}: it must be from {low} to {high}")
        return proposal["value"]

    @traitlets.validate("compared")
    def _few_and_known(self, proposal: dict[str, Any]) -> list[str]:
        names = list(dict.fromkeys(proposal["value"]))
        if len(names) > _MOST_COMPARED:
            raise ValueError(f"compared has {len(names)} names: at most {_MOST_COMPARED} stand side by side")
        for name in names:
            _one_of("compared", name, {model.name for model in self.chosen})
        return names

    @property
    def shown(self) -> list[str]:
        """Names of the rows that pass the filters, in order."""
        keys: dict[str, Any] = {model.name: self._key(model) for model in self.chosen if self._passes(model)}
        known = [name for name, key in keys.items() if key is not None]
        unknown = [name for name, key in keys.items() if key is None]
        return sorted(known, key=keys.__getitem__, reverse=self.descending) + unknown

    def numbers(self, name: str) -> dict[str, float | None]:
        r"""Return what the table shows of a model, by column, at the present ``context``.

        Args:
            name: The model's.

        Returns:
            Numbers; None where nothing is known.
        """
        model = find_model(name)
        derived: dict[str, float | None] = dict.fromkeys(COLUMNS["size"] + COLUMNS["use"])
        if model.blueprint is not None:
            derived |= derived_numbers(model.blueprint, context=self.context)
            derived.pop("gflop")
        else:
            derived["parameters"] = model.parameters
        total, tokens = derived["parameters"], model.training_tokens
        known = total is not None and tokens is not None
        multiplied = 3e9 * derived_numbers(model.blueprint)["gflop"] if model.blueprint else None
        return derived | {
            "context": model.context,
            "training_tokens": tokens,
            "tokens_per_parameter": tokens / total if known and tokens and total else None,
            "training_flop": multiplied * tokens if multiplied and tokens else None,
        }

    def _passes(self, model: Model) -> bool:
        choices = model.blueprint.choices if model.blueprint else frozenset()
        searched = " ".join((model.name, model.organisation, *model.features)).casefold()
        return (
            self.text.casefold() in searched
            and self.organisation in ("", model.organisation)
            and (not self.choice or self.choice in choices)
            and not (self.open_only and model.weights == "closed")
        )

    def _key(self, model: Model) -> Any:
        if self.sort_by in ("name", "organisation"):
            return str(getattr(model, self.sort_by)).casefold()
        return model.year * 12 + model.month if self.sort_by == "date" else self.numbers(model.name)[self.sort_by]

    def __repr__(self) -> str:
        return f"ModelTable({len(self.models)} models, {len(self.shown)} shown, {len(self.compared)} compared)"


def _row(model: Model) -> dict[str, Any]:
    """Return what the page holds of a model; fields of a blueprint that stand at their defaults are left out."""
    names = ("name", "family", "organisation", "year", "month", "weights", "licence", "known_for", "parameters")
    told = {name: getattr(model, name) for name in (*names, "training_tokens", "context")}
    blueprint = model.blueprint
    return told | {
        "features": list(model.features),
        "estimates": [f"{each.value} ({each.source})" for each in model.estimates if each.field == "parameters"],
        "choices": sorted(blueprint.choices) if blueprint else [],
        "blueprint": _compact(blueprint) if blueprint else None,
        "source": model.sources[0],
    }


def _compact(part: Blueprint | Experts) -> dict[str, Any]:
    held = {field.name: getattr(part, field.name) for field in fields(part)}
    kept = {field.name: held[field.name] for field in fields(part) if held[field.name] != field.default}
    for name in ("experts", "latent"):
        if name in kept:
            kept[name] = _compact(kept[name]) if isinstance(kept[name], Experts) else asdict(kept[name])
    return kept


def _one_of(name: str, value: str, allowed: set[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}: choose one of {', '.join(sorted(map(repr, allowed)))}")
    return value
