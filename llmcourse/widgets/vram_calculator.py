"""A calculator of what a deployment takes: weights, cache, activations and overhead on each GPU."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import traitlets

from llmcourse.inference import VRAMEstimate, estimate_vram
from llmcourse.lineage import model_config, parameter_count_of
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["VRAMCalculator"]

_HERE = Path(__file__).parent
_MODELS: Final = (
    "Llama 3 70B",
    "Llama 3 8B",
    "Llama 2 7B",
    "Llama 2 13B",
    "Llama 3.1 405B",
    "Qwen2.5 7B",
    "Qwen2.5 72B",
)
BITS: Final = (2.0, 3.0, 4.0, 4.25, 4.5, 5.0, 6.0, 8.0, 16.0, 32.0)
CONTEXTS: Final = tuple(2**k for k in range(9, 18))
BATCHES: Final = (1, 2, 4, 8, 16, 32, 64, 128)
GPUS: Final = (1, 2, 4, 8)
CHUNK: Final = 512
_SHAPE: Final = ("vocab_size", "d_model", "n_layers", "n_heads", "n_kv_heads", "head_dim", "d_ff")


class VRAMCalculator(StaticWidget):
    r"""Choose a model, or any number of parameters in its shape, and see what serving it takes on each GPU.

    All numbers are those of :func:`llmcourse.inference.estimate_vram`, with prompts read 512 tokens at a time. Models
    are of :data:`llmcourse.lineage.MODELS`.

    Args:
        models: Names of models with SwiGLU, keys and values of their own, and no window.
        model: The one that is chosen first.
        billions: Parameters, in place of the model's own.
        bits: Of each weight: one of ``BITS``.
        context: Tokens of each sequence: a power of two from 512 to 131,072.
        batch_size: Sequences at a time: a power of two up to 128.
        kv_bits: Of each key's and value's number: one of ``BITS``.
        n_gpus: 1, 2, 4 or 8, over which the model's heads can be spread equally.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A choice is not offered, or a model is built in another way.

    Examples:
        >>> calculator = VRAMCalculator()
        >>> calculator
        VRAMCalculator(70.0B parameters in the shape of Llama 3 70B, 4 bits, 4096 tokens, 1 at a time, 1 GPU)
        >>> f"{calculator.estimate.weight_bytes / 1e9:.1f} GB of weights"
        '35.0 GB of weights'
    """

    _esm = _HERE / "vram_calculator.js"
    _css = styled(_HERE / "vram_calculator.css")
    caption = "An interactive figure, the VRAM calculator: it runs in the book's pages and in JupyterLab."

    models = traitlets.List(read_only=True).tag(sync=True)
    choices = traitlets.Dict(read_only=True).tag(sync=True)
    model = traitlets.Unicode().tag(sync=True)
    billions = traitlets.Float(70.0).tag(sync=True)
    bits = traitlets.Float(4.0).tag(sync=True)
    context = traitlets.Int(4096).tag(sync=True)
    batch_size = traitlets.Int(1).tag(sync=True)
    kv_bits = traitlets.Float(16.0).tag(sync=True)
    n_gpus = traitlets.Int(1).tag(sync=True)

    def __init__(
        self,
        models: Sequence[str] = _MODELS,
        *,
        model: str = "Llama 3 70B",
        billions: float | None = 70.0,
        bits: float = 4,
        context: int = 4096,
        batch_size: int = 1,
        kv_bits: float = 16,
        n_gpus: int = 1,
        **traits: Any,
    ) -> None:
        if model not in models:
            raise ValueError(f"model is {model!r}: choose one of {', '.join(models)}")
        self._configs = {name: model_config(name) for name in models}
        for name, config in self._configs.items():
            if config.latent or config.feed_forward != "swiglu" or any(map(config.window_of, range(config.n_layers))):
                raise ValueError(f"{name} has a latent, a window or no SwiGLU, which the page does not reckon with")
        own = {name: round(parameter_count_of(name) / 1e9, 2) for name in models}
        billions = own[model] if billions is None else billions
        if not 0.1 <= billions <= 1000:
            raise ValueError(f"billions is {billions}: give 0.1 to 1000")
        offered = {"bits": BITS, "context": CONTEXTS, "batch_size": BATCHES, "kv_bits": BITS, "n_gpus": GPUS}
        given = {"bits": bits, "context": context, "batch_size": batch_size, "kv_bits": kv_bits, "n_gpus": n_gpus}
        for name, value in given.items():
            if value not in offered[name]:
                raise ValueError(f"{name} is {value}: choose one of {', '.join(map(str, offered[name]))}")
        if self._configs[model].n_heads % n_gpus:
            raise ValueError(
                f"n_gpus is {n_gpus}: the {self._configs[model].n_heads} heads of {model} spread unequally"
            )
        super().__init__(model=model, billions=billions, **given, **traits)
        shapes = [
            {"name": name, "billions": own[name], **{size: getattr(config, size) for size in _SHAPE}}
            for name, config in self._configs.items()
        ]
        self.set_trait("models", shapes)
        grid = {float(f"{10 ** (k / 20):.2g}") for k in range(-20, 61)}  # two digits, evenly in logarithms
        counts = sorted({*grid, *own.values(), billions})
        self.set_trait("choices", {"billions": counts} | {name: list(values) for name, values in offered.items()})

    @property
    def estimate(self) -> VRAMEstimate:
        """What is chosen takes on each GPU."""
        return estimate_vram(
            self._configs[self.model],
            seq_len=self.context,
            batch_size=self.batch_size,
            bits=self.bits,
            kv_bits=self.kv_bits,
            chunk=CHUNK,
            n_gpus=self.n_gpus,
            n_parameters=self.billions * 1e9,
        )

    def __repr__(self) -> str:
        gpus = "1 GPU" if self.n_gpus == 1 else f"{self.n_gpus} GPUs"
        what = f"{self.billions}B parameters in the shape of {self.model}, {self.bits:g} bits"
        return f"VRAMCalculator({what}, {self.context} tokens, {self.batch_size} at a time, {gpus})"
