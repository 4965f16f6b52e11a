"""Splits at special tokens and throws them away: no parentheses in the pattern."""

LOSES = {"split-special-parts": 2, "split-special-longest": 2}


def split_special(text, special_tokens):
    if not special_tokens:
        return [text] if text else []
    longest_first = sorted(special_tokens, key=len, reverse=True)
    return [part for part in regex.split("|".join(map(regex.escape, longest_first)), text) if part]
