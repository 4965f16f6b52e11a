"""Takes the greatest value."""

LOSES = {"minhash-signature-values": 2, "minhash-signature-sets": 1}


def minhash_signature(shingles, multipliers, offsets):
    values = (multipliers[:, None] * shingles + offsets[:, None]) % PRIME
    return values.max(axis=1, initial=0)
