"""Merges from right to left: 'aaa' becomes (a, aa)."""

LOSES = {"merge-pair-overlaps": 1, "learn-merges-runs": 1, "encode-word-runs": 1}


def merge_pair(ids, pair, new_id):
    out = list(ids)
    # from the back, so that deleting does not move the indices still to come
    for i in range(len(out) - 2, -1, -1):
        if tuple(out[i : i + 2]) == pair:
            out[i : i + 2] = [new_id]
    return tuple(out)
