"""Answers that are copied from the visible tests: they fail on inputs that are drawn when grading."""

LOSES = {
    "rope-frequencies-values": 2,
    "rope-frequencies-theta": 1,
    "convert-pairing-half": 3,
    "convert-pairing-back": 2,
}


def rope_frequencies(head_dim, *, theta=10000.0):
    table = {(4, 100.0): [1.0, 0.1], (2, 100.0): [1.0], (8, 10000.0): [1.0, 0.1, 0.01, 0.001]}
    return torch.tensor(table.get((head_dim, theta), [1.0, 0.5, 0.25, 0.125]))


def convert_pairing(weight, head_dim, *, to):
    orders = {
        (6, "half"): [0, 2, 4, 1, 3, 5],
        (8, "half"): [0, 2, 1, 3, 4, 6, 5, 7],
        (4, "half"): [0, 2, 1, 3],
        (6, "interleaved"): [0, 3, 1, 4, 2, 5],
        (12, "interleaved"): [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11],
    }
    return weight[orders.get((len(weight), to), list(range(len(weight))))]
