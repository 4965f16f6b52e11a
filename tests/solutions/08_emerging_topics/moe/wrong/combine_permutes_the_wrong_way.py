"""Looks rows up at slots."""

LOSES = {"combine-order": 2, "combine-sum": 1, "combine-weights": 2}


def combine(outputs, slots, weights):
    n_tokens, top_k = weights.shape
    rows = outputs[slots].view(n_tokens, top_k, -1)
    return (rows * weights[:, :, None]).sum(dim=1)
