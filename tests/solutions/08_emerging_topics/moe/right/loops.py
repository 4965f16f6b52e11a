"""Loops over tokens and experts."""


def route_top_k(router_logits, top_k, *, renormalize=True, score="softmax", selection_bias=None):
    all_weights, all_experts = [], []
    for row in router_logits:
        scores = torch.sigmoid(row) if score == "sigmoid" else (row - row.max()).exp() / (row - row.max()).exp().sum()
        biased = scores.tolist() if selection_bias is None else (scores + selection_bias).tolist()
        best = sorted(range(len(biased)), key=biased.__getitem__, reverse=True)[:top_k]
        weights = scores[best]
        all_weights.append(weights / weights.sum() if renormalize else weights)
        all_experts.append(best)
    return torch.stack(all_weights), torch.tensor(all_experts)


def sort_by_expert(experts, n_experts):
    flat = experts.reshape(-1).tolist()
    blocks = [[slot for slot, expert in enumerate(flat) if expert == number] for number in range(n_experts)]
    return torch.tensor([slot for block in blocks for slot in block]), torch.tensor([len(block) for block in blocks])


def combine(outputs, slots, weights):
    rows = [torch.zeros(outputs.shape[-1]) for _ in weights]
    for output, slot in zip(outputs, slots.tolist(), strict=True):
        token, choice = divmod(slot, weights.shape[1])
        rows[token] = rows[token] + weights[token, choice] * output
    return torch.stack(rows)


def load_balancing_loss(router_logits, experts, mask=None):
    kept = [t for t in range(len(experts)) if mask is None or mask[t]]
    if not kept:
        return torch.zeros(())
    probabilities = torch.stack([router_logits[t].softmax(-1) for t in kept])
    loss = torch.zeros(())
    for number in range(router_logits.shape[1]):
        share = sum(int((experts[t] == number).sum()) for t in kept) / (len(kept) * experts.shape[1])
        loss = loss + share * probabilities[:, number].mean()
    return router_logits.shape[1] * loss


def moe_parameters(d_model, d_ff, n_experts, top_k, n_shared_experts=0):
    def layer(count):
        return sum((d_model * d_ff, d_ff * d_model, d_model * d_ff)) * count + n_experts * d_model

    return layer(n_shared_experts + n_experts), layer(n_shared_experts + top_k)
