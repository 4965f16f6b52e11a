"""Adds to the tensors that came in."""

LOSES = {"ring-all-reduce-sums": 4, "ring-all-reduce-traffic": 3, "ring-all-reduce-uneven": 1}


def ring_all_reduce(tensors, send, receive):
    n = len(tensors)
    chunks = [list(tensor.view(-1).tensor_split(n)) for tensor in tensors]
    for step in range(n - 1):
        for rank in range(n):
            send(rank, chunks[rank][(rank - step) % n])
        for rank in range(n):
            chunks[rank][(rank - 1 - step) % n] += receive(rank)
    for step in range(n - 1):
        for rank in range(n):
            send(rank, chunks[rank][(rank + 1 - step) % n])
        for rank in range(n):
            chunks[rank][(rank - step) % n] = receive(rank)
    return [torch.cat(chunks[rank]).reshape(tensors[rank].shape) for rank in range(n)]
