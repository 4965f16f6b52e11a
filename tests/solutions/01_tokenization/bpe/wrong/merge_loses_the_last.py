"""Loops to len(ids) - 1, so that a last token that is not merged is lost."""

LOSES = {
    "merge-pair-replaces": 2,
    "merge-pair-overlaps": 1,
    "learn-merges-training": 3,
    "learn-merges-ties": 2,
    "learn-merges-bytes": 1,
    "learn-merges-runs": 1,
    "learn-merges-stopping": 1,
    "encode-word-ids": 2,
    "encode-word-ranks": 3,
    "encode-word-runs": 1,
}


def merge_pair(ids, pair, new_id):
    merged = []
    i = 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == pair:
            merged.append(new_id)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return tuple(merged)
