"""Adds up the list, as if each rank saw the others' tensors."""

LOSES = {"ring-all-reduce-traffic": 3}


def ring_all_reduce(tensors, send, receive):
    total = torch.stack(tensors).sum(0)
    return [total.clone() for _ in tensors]
