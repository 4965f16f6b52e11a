"""Adds up places."""

LOSES = {"reciprocal-rank-fusion-values": 2, "reciprocal-rank-fusion-missing": 1}


def reciprocal_rank_fusion(rankings: list[list], k: int = 60) -> list:
    total = {}
    for ranking in rankings:
        for place, item in enumerate(ranking, start=1):
            total[item] = total.get(item, 0.0) + (k + place)
    return sorted(total, key=lambda item: total[item])
