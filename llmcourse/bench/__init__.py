"""Side-by-side benchmarks, one module a chapter, each also run as ``python -m llmcourse.bench.NAME``."""

__all__ = ["NAMES"]

NAMES = ("alignment", "architecture", "grading", "pretraining", "tokenization")
