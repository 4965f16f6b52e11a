"""By what PyTorch has: linear layers, chunks that are sent the other way through, tuples made into lists."""


def ring_all_reduce(tensors, send, receive):
    n = len(tensors)
    parts = {(r, c): chunk for r, t in enumerate(tensors) for c, chunk in enumerate(t.flatten().tensor_split(n))}
    for offset, keep in ((0, True), (1, False)):
        for step in range(n - 1):
            for r in range(n):
                send(r, parts[r, (r + offset - step) % n])
            for r in range(n):
                place = r, (r + offset - 1 - step) % n
                parts[place] = receive(r).add(parts[place]) if keep else receive(r)
    return [torch.cat([parts[r, c] for c in range(n)]).view(t.shape) for r, t in enumerate(tensors)]


def average_gradients(gradients, n_kept, all_reduce):
    count = all_reduce([torch.full((1,), float(kept)) for kept in n_kept])
    shares = [kept / torch.clamp(total, min=1.0) for kept, total in zip(n_kept, count, strict=True)]
    return all_reduce([gradient * share for gradient, share in zip(gradients, shares, strict=True)])


def column_parallel_linear(x, weight_shards, bias_shards):
    return list(map(lambda w, b: torch.nn.functional.linear(x, w, b), weight_shards, bias_shards))


def row_parallel_linear(x_shards, weight_shards, bias, all_reduce):
    share = bias / len(x_shards)
    shards = zip(x_shards, weight_shards, strict=True)
    return all_reduce([torch.nn.functional.linear(x, weight, share) for x, weight in shards])


def bubble_fraction(n_stages, n_microbatches):
    idle = n_stages - 1
    return idle / (idle + n_microbatches)


def zero_memory(n_parameters, n_devices, stage, *, parameter_bytes=2, gradient_bytes=2, optimizer_bytes=12):
    total = 0.0
    for first_stage, size in ((1, optimizer_bytes), (2, gradient_bytes), (3, parameter_bytes)):
        total += n_parameters * size / (n_devices if stage >= first_stage else 1)
    return total
