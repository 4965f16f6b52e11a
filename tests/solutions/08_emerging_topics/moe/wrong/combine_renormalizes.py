"""Makes weights add up to 1."""

LOSES = {"combine-sum": 1, "combine-weights": 2, "combine-gradient": 1}


def combine(outputs, slots, weights):
    n_tokens, top_k = weights.shape
    weights = weights / weights.sum(dim=-1, keepdim=True)
    weighted = outputs * weights.flatten()[slots][:, None]
    return outputs.new_zeros(n_tokens, outputs.shape[-1]).index_add(0, slots // top_k, weighted)
