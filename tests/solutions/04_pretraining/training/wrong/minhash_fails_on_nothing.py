"""Does not expect a document without a shingle."""

LOSES = {"minhash-signature-sets": 1}


def minhash_signature(shingles, multipliers, offsets):
    return ((multipliers[:, None] * shingles + offsets[:, None]) % PRIME).min(axis=1)
