"""Merges overlapping pairs: the middle 'a' of 'aaa' is used twice."""

LOSES = {"merge-pair-overlaps": 1, "learn-merges-runs": 1, "encode-word-runs": 1}


def merge_pair(ids, pair, new_id):
    starts = [i for i in range(len(ids) - 1) if (ids[i], ids[i + 1]) == pair]
    used = {i for start in starts for i in (start, start + 1)}
    return tuple(new_id if i in starts else ids[i] for i in range(len(ids)) if i in starts or i not in used)
