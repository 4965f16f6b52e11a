"""Pre-training: for now the corpora that need no network."""

from llmcourse.pretraining.corpora import docstrings, documentation, human_rights, language_names, source_code

__all__ = ["docstrings", "documentation", "human_rights", "language_names", "source_code"]
