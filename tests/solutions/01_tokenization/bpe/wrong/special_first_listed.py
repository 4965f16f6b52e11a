"""Tries special tokens in the order in which they are listed; the first match wins, not the longest."""

LOSES = {"split-special-longest": 2}


def split_special(text, special_tokens):
    if not special_tokens:
        return [text] if text else []
    pattern = "|".join(regex.escape(token) for token in special_tokens)
    return [part for part in regex.split(f"({pattern})", text) if part]
