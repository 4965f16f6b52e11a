"""Takes the remainder of the least product."""

LOSES = {"minhash-signature-values": 2, "minhash-signature-sets": 1}


def minhash_signature(shingles, multipliers, offsets):
    return (multipliers[:, None] * shingles + offsets[:, None]).min(axis=1, initial=PRIME) % PRIME
