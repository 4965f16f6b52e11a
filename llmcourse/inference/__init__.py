"""Chapter 6: what makes a model fast and small when it is used."""

from llmcourse.inference.kv_cache import KVCache, kv_cache_bytes, left_pad
from llmcourse.inference.vram import VRAMEstimate, estimate_vram, weight_bytes

__all__ = ["KVCache", "VRAMEstimate", "estimate_vram", "kv_cache_bytes", "left_pad", "weight_bytes"]
