"""Sends whole tensors round the ring: n - 1 of them from each rank."""

LOSES = {"ring-all-reduce-traffic": 3}


def ring_all_reduce(tensors, send, receive):
    n = len(tensors)
    totals, passing = [tensor.clone() for tensor in tensors], list(tensors)
    for _ in range(n - 1):
        for rank in range(n):
            send(rank, passing[rank])
        passing = [receive(rank) for rank in range(n)]
        totals = [total + tensor for total, tensor in zip(totals, passing, strict=True)]
    return totals
