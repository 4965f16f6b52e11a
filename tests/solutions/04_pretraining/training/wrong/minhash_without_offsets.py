"""Leaves out the offsets."""

LOSES = {"minhash-signature-values": 2}


def minhash_signature(shingles, multipliers, offsets):
    return (multipliers[:, None] * shingles % PRIME).min(axis=1, initial=PRIME)
