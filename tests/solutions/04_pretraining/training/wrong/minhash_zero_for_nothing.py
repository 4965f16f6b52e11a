"""Gives zeros to a document without a shingle."""

LOSES = {"minhash-signature-sets": 1}


def minhash_signature(shingles, multipliers, offsets):
    if not len(shingles):
        return np.zeros(len(multipliers), dtype=np.int64)
    return ((multipliers[:, None] * shingles + offsets[:, None]) % PRIME).min(axis=1)
