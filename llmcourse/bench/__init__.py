"""Side-by-side benchmarks, most a chapter's, each also run as ``python -m llmcourse.bench.NAME``."""

__all__ = ["NAMES"]

NAMES = ("alignment", "architecture", "deduplication", "grading", "inference", "pretraining", "serving", "tokenization")
