"""Keeps the empty strings that regex.split leaves before, between and after special tokens."""

LOSES = {"split-special-parts": 2}


def split_special(text, special_tokens):
    if not special_tokens:
        return [text]
    longest_first = sorted(special_tokens, key=len, reverse=True)
    return regex.split("(" + "|".join(map(regex.escape, longest_first)) + ")", text)
