"""Returns tokens in sorted order."""

LOSES = {"combine-order": 2, "combine-sum": 1, "combine-weights": 2}


def combine(outputs, slots, weights):
    n_tokens, top_k = weights.shape
    weighted = outputs * weights.flatten()[slots][:, None]
    return weighted.view(n_tokens, top_k, -1).sum(dim=1)
