"""Passes a running sum of whole tensors along the ring, then passes it on."""

LOSES = {"ring-all-reduce-traffic": 3}


def ring_all_reduce(tensors, send, receive):
    n = len(tensors)
    total = tensors[0].clone()
    for rank in range(n - 1):
        send(rank, total)
        total = receive(rank + 1) + tensors[rank + 1]
    results = [None] * (n - 1) + [total]
    for rank in range(n - 1, 2 * n - 2):
        send(rank % n, results[rank % n])
        results[(rank + 1) % n] = receive((rank + 1) % n)
    return results
