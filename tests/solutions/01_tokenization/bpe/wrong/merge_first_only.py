"""Merges only the first occurrence of the pair."""

LOSES = {"merge-pair-replaces": 2, "merge-pair-overlaps": 1, "learn-merges-training": 3}


def merge_pair(ids, pair, new_id):
    ids = tuple(ids)
    for i in range(len(ids) - 1):
        if ids[i : i + 2] == pair:
            return (*ids[:i], new_id, *ids[i + 2 :])
    return ids
