"""Returns a list, which cannot be the key of a dictionary."""

LOSES = {
    "merge-pair-replaces": 2,
    "learn-merges-training": 3,
    "learn-merges-ties": 2,
    "learn-merges-borders": 2,
    "learn-merges-bytes": 1,
    "learn-merges-runs": 1,
    "learn-merges-stopping": 1,
}


def merge_pair(ids, pair, new_id):
    merged = []
    for token in ids:
        if merged and merged[-1] == pair[0] and token == pair[1]:
            merged[-1] = new_id
        else:
            merged.append(token)
    return merged
