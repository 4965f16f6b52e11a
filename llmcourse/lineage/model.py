"""What is known of one released model, and what is not."""

import datetime
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from llmcourse.architecture import LatentAttentionConfig
from llmcourse.lineage.blueprint import Blueprint, Experts

__all__ = ["Estimate", "Model"]

_NUMBERS = ("parameters", "active_parameters", "training_tokens", "context")


@dataclass(frozen=True)
class Estimate:
    r"""What someone other than the developer says of a number that is not disclosed.

    Attributes:
        field: The field of :class:`Model` that it speaks of.
        value: What is said, in words.
        source: Who says so, and where.
    """

    _: KW_ONLY
    field: str
    value: str
    source: str

    def __post_init__(self) -> None:
        if self.field not in _NUMBERS or not self.value or not self.source:
            raise ValueError(f"{self!r}: an estimate is of one of {', '.join(_NUMBERS)}, and has a value and a source")


@dataclass(frozen=True)
class Model:
    r"""One size of one release. A number is either there, or listed in ``undisclosed`` or in ``unverified``.

    Attributes:
        name: As its developer writes it.
        family: The release that it belongs to.
        organisation: Its developer.
        year: Of its release.
        month: From 1 to 12.
        weights: "open" where anyone may download them, "closed" otherwise.
        licence: Of the weights.
        parameters: In all, as published.
        active_parameters: That work on a token, as published; None where all do.
        training_tokens: Of pre-training.
        context: The longest text that it is made for, in tokens.
        inputs: What it reads: "text", "image", "audio", "video".
        outputs: What it writes.
        known_for: In a few words.
        features: Key features, each in a word or two.
        parents: Names of families or models that it comes from.
        blueprint: What it is built of; None where that is not published.
        count_note: Why the count from the blueprint is further than 0.5% from the published number.
        undisclosed: Names of the fields that its developer has not published.
        unverified: Names of the fields for which no source was at hand when this was checked.
        estimates: Of what is not disclosed, by others.
        sources: Where all this stands; the report first.
        checked: The day on which it was compared with the sources.

    Raises:
        ValueError: A field is out of range, or a number is missing without a word.
    """

    _: KW_ONLY
    name: str
    family: str
    organisation: str
    year: int
    month: int
    weights: str
    licence: str
    parameters: float | None = None
    active_parameters: float | None = None
    training_tokens: float | None = None
    context: int | None = None
    inputs: tuple[str, ...] = ("text",)
    outputs: tuple[str, ...] = ("text",)
    known_for: str
    features: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    blueprint: Blueprint | None = None
    count_note: str = ""
    undisclosed: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    sources: tuple[str, ...]
    checked: datetime.date

    def __post_init__(self) -> None:
        for name in ("name", "family", "organisation", "licence", "known_for", "sources"):
            if not getattr(self, name):
                raise ValueError(f"{self.name or 'a model'}: {name} is empty")
        if not (2017 <= self.year <= 2100 and 1 <= self.month <= 12):
            raise ValueError(f"{self.name}: year is {self.year} and month {self.month}")
        if self.weights not in ("open", "closed"):
            raise ValueError(f"{self.name}: weights is {self.weights!r}: choose 'open' or 'closed'")
        self._check_numbers()
        if self.blueprint is None and self.weights == "open":
            raise ValueError(f"{self.name}: weights are open, so give its blueprint")

    def _check_numbers(self) -> None:
        silent = set(self.undisclosed) | set(self.unverified)
        for name in ("parameters", "training_tokens", "context"):
            value = getattr(self, name)
            if (value is None) == (name not in silent) and not (value is not None and name in self.unverified):
                raise ValueError(f"{self.name}: {name} is {value}: a number, or a word in undisclosed or unverified")
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{self.name}: {name} is {value}: it has to be greater than 0")
        for estimate in self.estimates:
            if estimate.field not in self.undisclosed:
                raise ValueError(f"{self.name}: {estimate.field} is estimated, and not undisclosed")

    @property
    def verified(self) -> bool:
        """Whether each field that is given was found in a source."""
        return not self.unverified

    @property
    def date(self) -> float:
        """Year of the release with its month as a fraction, for an axis of time."""
        return self.year + (self.month - 0.5) / 12

    @property
    def tokens_per_parameter(self) -> float | None:
        """Training tokens for each parameter in all; None where either is not known."""
        return self.training_tokens / self.parameters if self.training_tokens and self.parameters else None

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> "Model":
        r"""Make one from a table of the data file.

        Args:
            table: Fields by name; lists for tuples, tables for a blueprint, its experts and its latent.

        Returns:
            The model.

        Raises:
            ValueError: A field is unknown, missing or out of range; names the model.
        """
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
        try:
            if "blueprint" in fields:
                fields["blueprint"] = _read_blueprint(fields["blueprint"])
            fields["estimates"] = tuple(Estimate(**estimate) for estimate in fields.get("estimates", ()))
            return cls(**fields)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{table.get('name', 'a model without a name')}: {error}") from error


def _read_blueprint(table: Mapping[str, Any]) -> Blueprint:
    parts: dict[str, Any] = dict(table)
    if "experts" in parts:
        parts["experts"] = Experts(**parts["experts"])
    if "latent" in parts:
        parts["latent"] = LatentAttentionConfig(**parts["latent"])
    return Blueprint(**parts)
