"""One style for all figures of the course, and one fixed colour per concept.

Functions take arrays and an ``ax`` and return the ``ax``. Those of a chapter stand in the module of its package's name:
:mod:`llmcourse.plotting.tokenization` for chapter 1, :mod:`llmcourse.plotting.architecture` for chapter 2,
:mod:`llmcourse.plotting.scaling` for chapter 3, whose budgets are in :mod:`llmcourse.plotting.compute_budget`.
"""

from llmcourse.plotting import architecture, compute_budget, scaling, tokenization
from llmcourse.plotting.source import show_source
from llmcourse.plotting.style import COLORS, OKABE_ITO, use_style

__all__ = [
    "COLORS",
    "OKABE_ITO",
    "architecture",
    "compute_budget",
    "scaling",
    "show_source",
    "tokenization",
    "use_style",
]
