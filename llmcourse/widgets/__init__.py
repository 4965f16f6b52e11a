"""Widgets that compute in JupyterLab and, with neither a kernel nor a network, in the pages of the book."""

from llmcourse.widgets.bpe_player import BPEPlayer

__all__ = ["BPEPlayer"]
