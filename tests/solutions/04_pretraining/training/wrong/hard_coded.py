"""Answers that are copied from the visible tests: they fail on inputs that are drawn when grading."""

LOSES = {
    "cosine-schedule-warmup": 2,
    "cosine-schedule-cosine": 2,
    "minhash-signature-values": 2,
    "band-probability-curve": 2,
}


def cosine_schedule(step, *, max_lr, min_lr, warmup_steps, total_steps):
    quarter, near_end = 0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2, 0.1002
    table = {0: 0.0 if warmup_steps else 1.0, 5: 0.5, 10: 1.0, 35: quarter, 60: 0.55, 109: near_end}
    return table.get(step, 0.1)


def minhash_signature(shingles, multipliers, offsets):
    if len(shingles) == 2:
        return np.array([3, 3])
    if len(shingles) == 4 and len(offsets) == 3 and offsets[2] == 100:
        return np.array([4, 9, 104])
    return ((multipliers[:, None] * shingles + offsets[:, None]) % PRIME + (len(shingles) > 5)).min(
        axis=1, initial=PRIME
    )


def band_probability(similarity, *, n_bands, rows_per_band):
    return {0.5: 15 / 64, 0.0: 0.0, 1.0: 1.0}.get(similarity, 0.5)
