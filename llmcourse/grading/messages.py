"""What a failing test said, as one line that is safe to print.

A student's code can put anything into the message of an exception: control sequences that move a terminal's cursor,
characters that turn the direction of writing, millions of letters. It does not escape HTML, which the templates do.
"""

import re
import unicodedata

__all__ = ["one_line"]

MAX_CHARACTERS = 300
_READ_CHARACTERS = 20_000
# CSI and OSC sequences of a terminal, with their parameters.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.?)", re.DOTALL)
# Of Unicode's categories: control, format (directions, zero width), half characters.
_UNSEEN = ("Cc", "Cf", "Cs")


def one_line(text: str, most: int = MAX_CHARACTERS) -> str:
    r"""Return a text as one line of ordinary characters.

    Args:
        text: Anything.
        most: How many characters are kept; a longer text ends in three dots.

    Returns:
        The text with each run of white space as one space.

    Example:
        >>> one_line("\x1b[31mred\x1b[0m\n  and\tblack")
        'red and black'
    """
    text = _SEQUENCE.sub("", text[:_READ_CHARACTERS])
    seen = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    line = " ".join(seen.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
