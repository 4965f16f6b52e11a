"""Takes the value of the first shingle."""

LOSES = {"minhash-signature-values": 2, "minhash-signature-sets": 1}


def minhash_signature(shingles, multipliers, offsets):
    if not len(shingles):
        return np.full(len(multipliers), PRIME)
    return (multipliers * shingles[0] + offsets) % PRIME
