"""No function calls another one: padded chunks in a matrix, sums of ranks, einsum, and cases by number."""


def ring_all_reduce(tensors, send, receive):
    n, size = len(tensors), tensors[0].numel()
    width = -(-size // n)
    bounds = [(min(size, i * width), min(size, (i + 1) * width)) for i in range(n)]
    held = [tensor.reshape(-1).clone() for tensor in tensors]
    for step in range(2 * (n - 1)):
        for rank in range(n):
            low, high = bounds[(rank - step) % n]
            send(rank, held[rank][low:high])
        for rank in range(n):
            low, high = bounds[(rank - 1 - step) % n]
            arrived = receive(rank)
            held[rank][low:high] = held[rank][low:high] + arrived if step < n - 1 else arrived
    return [flat.reshape(tensors[0].shape) for flat in held]


def average_gradients(gradients, n_kept, all_reduce):
    weighted = [torch.cat([g.flatten() * k, torch.tensor([float(k)])]) for g, k in zip(gradients, n_kept, strict=True)]
    results = []
    for total, gradient in zip(all_reduce(weighted), gradients, strict=True):
        mean = total[:-1] / total[-1] if total[-1] > 0 else torch.zeros_like(total[:-1])
        results.append(mean.reshape(gradient.shape))
    return results


def column_parallel_linear(x, weight_shards, bias_shards):
    parts = []
    for weight, bias in zip(weight_shards, bias_shards, strict=True):
        parts.append(torch.einsum("...i,oi->...o", x, weight) + bias)
    return parts


def row_parallel_linear(x_shards, weight_shards, bias, all_reduce):
    partial = [torch.einsum("...i,oi->...o", x, weight) for x, weight in zip(x_shards, weight_shards, strict=True)]
    partial[0] = partial[0] + bias
    return all_reduce(partial)


def bubble_fraction(n_stages, n_microbatches):
    return 1 - n_microbatches / (n_microbatches + n_stages - 1)


def zero_memory(n_parameters, n_devices, stage, *, parameter_bytes=2, gradient_bytes=2, optimizer_bytes=12):
    parts = [optimizer_bytes, gradient_bytes, parameter_bytes]
    return n_parameters * (sum(parts[:stage]) / n_devices + sum(parts[stage:]))
