"""Has one hash function for all entries."""

LOSES = {"minhash-signature-values": 2}


def minhash_signature(shingles, multipliers, offsets):
    values = (multipliers[0] * shingles + offsets[0]) % PRIME
    return np.full(len(multipliers), values.min(initial=PRIME))
