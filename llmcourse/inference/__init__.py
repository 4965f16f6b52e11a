"""Chapter 6: what makes a model fast and small when it is used."""

from llmcourse.inference.arrival_trace import Arrival, arrival_trace
from llmcourse.inference.awq import awq
from llmcourse.inference.batching_policies import SimulatedContinuousBatching, SimulatedStaticBatching, StepCost
from llmcourse.inference.block_allocator import BlockAllocator, OutOfBlocks
from llmcourse.inference.block_tables import BlockTables
from llmcourse.inference.calibration import calibrate_linear_layers, layer_inputs
from llmcourse.inference.engine import Engine
from llmcourse.inference.gguf_blocks import GGUF_TYPES, GGUFType, dequantize_blocks, quantize_blocks
from llmcourse.inference.gguf_file import GGUF, GGUFTensor, read_gguf, write_gguf
from llmcourse.inference.gguf_model import model_from_gguf, model_to_gguf, tokenizer_from_gguf
from llmcourse.inference.gptq import gptq
from llmcourse.inference.int4 import dequantize_int4, pack_int4, quantize_int4, quantize_int4_zero_point, unpack_int4
from llmcourse.inference.int8 import dequantize_int8, quantize_int8, quantize_int8_zero_point
from llmcourse.inference.kv_cache import KVCache, kv_cache_bytes, left_pad
from llmcourse.inference.llm_int8 import Int8Linear, int8_linear
from llmcourse.inference.measured_batching import ContinuousBatching, StaticBatching, measure_step_cost
from llmcourse.inference.nf4 import (
    dequantize_absmax,
    dequantize_nf4,
    normal_float_values,
    quantize_absmax,
    quantize_nf4,
)
from llmcourse.inference.paged_attention import paged_attention
from llmcourse.inference.paged_kv_cache import PagedKVCache
from llmcourse.inference.paged_rows import PagedRows
from llmcourse.inference.quantized_linear import (
    WEIGHT_FORMATS,
    QuantizedLinear,
    WeightFormat,
    module_bytes,
    quantize_linear_layers,
)
from llmcourse.inference.request import QueueFull, Request, SamplingParams, TokenEvent
from llmcourse.inference.scheduler import Scheduler, StepReport
from llmcourse.inference.serving_report import BatchServer, ServedStep, ServingReport, replay
from llmcourse.inference.smoothquant import smooth_activations, smoothing_scale
from llmcourse.inference.speculative import Draft, ModelDraft, PromptLookup, Sampling, Speculation, speculative_decode
from llmcourse.inference.speculative_sampling import (
    accept_draft,
    acceptance_probability,
    count_accepted,
    expected_speedup,
    expected_tokens,
    next_distribution,
    residual_distribution,
)
from llmcourse.inference.vram import VRAMEstimate, estimate_vram, weight_bytes

__all__ = [
    "GGUF",
    "GGUF_TYPES",
    "WEIGHT_FORMATS",
    "Arrival",
    "BatchServer",
    "BlockAllocator",
    "BlockTables",
    "ContinuousBatching",
    "Draft",
    "Engine",
    "GGUFTensor",
    "GGUFType",
    "Int8Linear",
    "KVCache",
    "ModelDraft",
    "OutOfBlocks",
    "PagedKVCache",
    "PagedRows",
    "PromptLookup",
    "QuantizedLinear",
    "QueueFull",
    "Request",
    "Sampling",
    "SamplingParams",
    "Scheduler",
    "ServedStep",
    "ServingReport",
    "SimulatedContinuousBatching",
    "SimulatedStaticBatching",
    "Speculation",
    "StaticBatching",
    "StepCost",
    "StepReport",
    "TokenEvent",
    "VRAMEstimate",
    "WeightFormat",
    "accept_draft",
    "acceptance_probability",
    "arrival_trace",
    "awq",
    "calibrate_linear_layers",
    "count_accepted",
    "dequantize_absmax",
    "dequantize_blocks",
    "dequantize_int4",
    "dequantize_int8",
    "dequantize_nf4",
    "estimate_vram",
    "expected_speedup",
    "expected_tokens",
    "gptq",
    "int8_linear",
    "kv_cache_bytes",
    "layer_inputs",
    "left_pad",
    "measure_step_cost",
    "model_from_gguf",
    "model_to_gguf",
    "module_bytes",
    "next_distribution",
    "normal_float_values",
    "pack_int4",
    "paged_attention",
    "quantize_absmax",
    "quantize_blocks",
    "quantize_int4",
    "quantize_int4_zero_point",
    "quantize_int8",
    "quantize_int8_zero_point",
    "quantize_linear_layers",
    "quantize_nf4",
    "read_gguf",
    "replay",
    "residual_distribution",
    "smooth_activations",
    "smoothing_scale",
    "speculative_decode",
    "tokenizer_from_gguf",
    "unpack_int4",
    "weight_bytes",
    "write_gguf",
]
