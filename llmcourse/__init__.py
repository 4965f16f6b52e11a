"""Reference implementations for a course on large language models.

Each chapter of the book has a package here: :mod:`llmcourse.tokenization` and so on. Importing this package
imports none of them, so that ``import llmcourse`` costs nothing and needs nothing.
"""

__version__ = "0.1.0"
