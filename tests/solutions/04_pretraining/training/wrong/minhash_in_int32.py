"""Computes in 32 bits, where products overflow."""

LOSES = {"minhash-signature-values": 2}


def minhash_signature(shingles, multipliers, offsets):
    multipliers, shingles, offsets = (a.astype(np.int32) for a in (multipliers, shingles, offsets))
    values = (multipliers[:, None] * shingles + offsets[:, None]) % np.int32(PRIME)
    return values.min(axis=1, initial=PRIME)
