"""Source is shown verbatim, with or without its docstring."""

import inspect

from llmcourse.plotting import show_source, use_style
from llmcourse.runtime import seed_everything


def test_with_docstrings_the_source_is_verbatim() -> None:
    assert show_source(use_style, docstrings=True).data == f"```python\n{inspect.getsource(use_style).rstrip()}\n```"


def test_without_docstrings_the_code_is_all_there() -> None:
    shown = show_source(seed_everything).data
    assert '"""' not in shown
    assert shown.splitlines()[1].startswith("def seed_everything")
    assert shown.splitlines()[2].strip().startswith("if not 0 <= seed")


def test_several_are_set_apart() -> None:
    assert show_source(use_style, seed_everything).data.count("\n\n\ndef ") == 1


class Documented:
    """A class."""

    def method(self) -> int:
        """Return one."""
        return 1

    def empty(self) -> None:
        """Do nothing, and be nothing but this."""


def test_methods_lose_their_docstrings_too_unless_they_are_nothing_else() -> None:
    assert show_source(Documented).data.splitlines()[1:-1] == [
        "class Documented:",
        "    def method(self) -> int:",
        "        return 1",
        "",
        "    def empty(self) -> None:",
        '        """Do nothing, and be nothing but this."""',
    ]
