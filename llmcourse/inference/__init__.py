"""Chapter 6: what makes a model fast and small when it is used."""

from llmcourse.inference.kv_cache import KVCache, kv_cache_bytes, left_pad

__all__ = ["KVCache", "kv_cache_bytes", "left_pad"]
