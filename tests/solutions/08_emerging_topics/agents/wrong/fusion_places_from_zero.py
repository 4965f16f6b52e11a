"""Counts places from 0."""

LOSES = {"reciprocal-rank-fusion-values": 2, "reciprocal-rank-fusion-missing": 1}


def reciprocal_rank_fusion(rankings: list[list], k: int = 60) -> list:
    total = {}
    for ranking in rankings:
        for place, item in enumerate(ranking, start=0):
            total[item] = total.get(item, 0.0) + 1 / (k + place)
    return sorted(total, key=lambda item: -total[item])
