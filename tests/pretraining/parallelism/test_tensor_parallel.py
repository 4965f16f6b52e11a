import torch

from llmcourse.pretraining.parallelism import column_parallel_linear, row_parallel_linear


def all_reduce(tensors):
    return [torch.stack(tensors).sum(0)] * len(tensors)


def test_a_cut_feed_forward_is_the_whole_one_in_values_and_gradients():
    generator = torch.Generator().manual_seed(0)
    x, up, bias = (torch.randn(*shape, generator=generator) for shape in ((2, 3, 4), (12, 4), (12,)))
    down, out_bias = torch.randn(4, 12, generator=generator), torch.randn(4, generator=generator)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, up, bias, down, out_bias)]
    whole = torch.relu(leaves[0] @ leaves[1].T + leaves[2]) @ leaves[3].T + leaves[4]
    whole.square().sum().backward()
    cut = [tensor.clone().requires_grad_() for tensor in (x, up, bias, down, out_bias)]
    inner = column_parallel_linear(cut[0], cut[1].split(4), cut[2].split(4))
    outer = row_parallel_linear([part.relu() for part in inner], cut[3].split(4, dim=1), cut[4], all_reduce)
    for found in outer:
        torch.testing.assert_close(found, whole, rtol=1e-5, atol=1e-5)
    outer[1].square().sum().backward()
    for one, other in zip(leaves, cut, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-5, atol=1e-4)
