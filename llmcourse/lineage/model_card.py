"""A card for one model: what is published, what follows from it, what is not known, and where it stands."""

from dataclasses import dataclass
from html import escape

from llmcourse.inference import weight_bytes
from llmcourse.lineage.blueprint import Blueprint
from llmcourse.lineage.catalogue import find_model
from llmcourse.lineage.memory_and_compute import flops_of_token, kv_bytes
from llmcourse.lineage.model import Model
from llmcourse.lineage.parameter_parts import parameter_parts

__all__ = ["ModelCard", "derived_numbers", "model_card"]

_FIELDS = {
    "parameters": "parameters",
    "active_parameters": "active parameters",
    "training_tokens": "training tokens",
    "context": "context",
}


@dataclass(frozen=True, repr=False)
class ModelCard:
    r"""Lines of a card, as text where it is printed and as a table where a notebook shows it.

    Attributes:
        title: The model's name.
        rows: Names and values of what is told, in order.
    """

    title: str
    rows: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Return the card as text, names in one column and values in another."""
        width = max(len(name) for name, _ in self.rows)
        return "\n".join([self.title, *(f"  {name:<{width}}  {value}" for name, value in self.rows)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        lines = "".join(
            f'<tr><th scope="row" style="text-align:left;white-space:nowrap;vertical-align:top">{escape(name)}</th>'
            f'<td style="text-align:left">{escape(value)}</td></tr>'
            for name, value in self.rows
        )
        return f"<table><caption>{escape(self.title)}</caption><tbody>{lines}</tbody></table>"


def model_card(model: str | Model) -> ModelCard:
    r"""Write the card of a model.

    Args:
        model: A name in ``MODELS``, or a model.

    Returns:
        A card, which prints as text and shows as a table.

    Raises:
        ValueError: There is no model of that name.

    Example:
        >>> print(model_card("GPT-4V"))
        GPT-4V
          developer  OpenAI, 2023-09
          known for  GPT-4's image input, opened to users
          weights    closed (API only)
          reads      text, image; writes text
          features   multimodal
          from       GPT-4
          published  parameters: not disclosed; training tokens: not disclosed; context: not verified
          sources    OpenAI, GPT-4V(ision) System Card, 25 September 2023
          checked    2026-11-27; no source at hand for: context
    """
    model = find_model(model) if isinstance(model, str) else model
    rows = [
        ("developer", f"{model.organisation}, {model.year}-{model.month:02}"),
        ("known for", model.known_for),
        ("weights", f"{model.weights} ({model.licence})"),
        ("reads", f"{', '.join(model.inputs)}; writes {', '.join(model.outputs)}"),
        ("features", ", ".join(model.features)),
        ("from", ", ".join(model.parents)),
        ("published", "; ".join(_published(model))),
        *_derived_rows(model),
        *(("estimate", f"{_FIELDS[each.field]}: {each.value} ({each.source})") for each in model.estimates),
        ("sources", "; ".join(model.sources)),
        ("checked", model.checked.isoformat() + _doubt(model)),
    ]
    return ModelCard(model.name, tuple((name, value) for name, value in rows if value))


def derived_numbers(blueprint: Blueprint, *, context: int | None = None) -> dict[str, float]:
    r"""Return what follows from a blueprint, by name, with units in the names.

    Args:
        blueprint: What a model is built of.
        context: Tokens for which the cache and the operations are counted; 8192 unless given.

    Returns:
        ``parameters``, ``active_parameters``, ``fp16_gb`` and ``int4_gb`` of weights (1e9 bytes), ``kv_bytes`` for one
        token, ``kv_gib`` (2**30 bytes) for the context, ``gflop`` of a token's forward pass by weights alone, and
        ``gflop_at_context`` with the attention to all that it sees.

    Example:
        >>> numbers = derived_numbers(find_model("Llama 3 8B").blueprint, context=8192)
        >>> numbers["fp16_gb"], numbers["int4_gb"], numbers["kv_gib"]
        (16.060522496, 4.015130624, 1.0)
    """
    context = 8192 if context is None else context
    parts = parameter_parts(blueprint)
    return {
        "parameters": parts.total,
        "active_parameters": parts.active,
        "fp16_gb": weight_bytes(parts.total, bits=16) / 1e9,
        "int4_gb": weight_bytes(parts.total, bits=4) / 1e9,
        "kv_bytes": kv_bytes(blueprint, 1),
        "kv_gib": kv_bytes(blueprint, context) / 2**30,
        "gflop": flops_of_token(blueprint) / 1e9,
        "gflop_at_context": flops_of_token(blueprint, context) / 1e9,
    }


def _published(model: Model) -> list[str]:
    told = []
    for field, name in _FIELDS.items():
        value = getattr(model, field)
        if value is not None:
            told.append(f"{name}: {_short(value)}" + (" (not verified)" if field in model.unverified else ""))
        elif field in model.undisclosed:
            told.append(f"{name}: not disclosed")
        elif field in model.unverified:
            told.append(f"{name}: not verified")
    return told


def _derived_rows(model: Model) -> list[tuple[str, str]]:
    blueprint = model.blueprint
    if blueprint is None:
        return []
    numbers = derived_numbers(blueprint, context=model.context)
    total, active = int(numbers["parameters"]), int(numbers["active_parameters"])
    count = f"{total:,} parameters" + (f", of which {active:,} work on a token" if active < total else "")
    share = f"{model.training_tokens / total:,.0f} training tokens for each parameter" if model.training_tokens else ""
    cache = f"{int(numbers['kv_bytes']):,} bytes a token" + (
        f"; {numbers['kv_gib']:.2f} GiB for {model.context:,} tokens" if model.context else ""
    )
    return [
        ("built of", _sizes(blueprint)),
        ("choices", ", ".join(sorted(blueprint.choices))),
        ("derived", count),
        ("note", model.count_note),
        ("data", share),
        ("weights of", f"{numbers['fp16_gb']:,.1f} GB in FP16, {numbers['int4_gb']:,.1f} GB in INT4"),
        ("KV cache", cache),
        ("a token", f"{numbers['gflop']:,.1f} GFLOP by weights, {numbers['gflop_at_context']:,.1f} at full context"),
    ]


def _sizes(blueprint: Blueprint) -> str:
    heads = f"{blueprint.n_heads} heads of {blueprint.head_dim}"
    if blueprint.latent is None and blueprint.n_kv_heads < blueprint.n_heads:
        heads += f" over {blueprint.n_kv_heads} of keys and values"
    told = [f"{blueprint.n_layers} layers of width {blueprint.d_model}", heads]
    if blueprint.d_ff:
        told.append(f"feed-forward {blueprint.d_ff}")
    if blueprint.experts is not None:
        experts = blueprint.experts
        shared = f" and a shared one of {experts.shared_width}" if experts.shared_width else ""
        told.append(f"{experts.top_k} of {experts.n_experts} experts of {experts.d_expert}{shared}")
    return ", ".join([*told, f"vocabulary {blueprint.vocab_size:,}"])


def _doubt(model: Model) -> str:
    names = ", ".join(_FIELDS.get(field, field) for field in model.unverified)
    return f"; no source at hand for: {names}" if names else ""


def _short(number: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if number >= size:
            return f"{number / size:.4g}{letter}"
    return f"{number:,.0f}"
