"""Hashes the least shingle, in place of taking the least hash."""

LOSES = {"minhash-signature-values": 2, "minhash-signature-sets": 1}


def minhash_signature(shingles, multipliers, offsets):
    if not len(shingles):
        return np.full(len(multipliers), PRIME)
    return (multipliers * shingles.min() + offsets) % PRIME
