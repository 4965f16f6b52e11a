"""Tries the shortest special token first."""

LOSES = {"split-special-longest": 2}


def split_special(text, special_tokens):
    parts = [text]
    for token in sorted(special_tokens, key=len):
        new_parts = []
        for part in parts:
            if part in special_tokens:
                new_parts.append(part)
                continue
            for i, piece in enumerate(part.split(token)):
                if i > 0:
                    new_parts.append(token)
                new_parts.append(piece)
        parts = new_parts
    return [part for part in parts if part]
