"""Layers that are cut, and processes each of which has a part of every layer."""

import pytest
import torch

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining.parallelism import column_parallel_linear, row_parallel_linear

_CUT_BIASES = ("q.bias", "k.bias", "v.bias")


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


@pytest.fixture(scope="module")
def tensor(run_case):
    return run_case("tensor")


@pytest.mark.parametrize("n", [2, 4])
def test_losses_checkpoints_and_uneven_batches_are_those_of_one_process(tensor, check_story, n):
    check_story(*tensor, n)


def test_a_gelu_layer_is_cut_too_and_embeddings_may_be_tied(tensor, ranks):
    expected = ranks.train(feed_forward="gelu", tie_embeddings=True)
    for rank in tensor[1]:
        assert rank["gelu"]["losses"] == pytest.approx(expected["losses"], rel=1e-5)


def test_each_process_keeps_its_part_of_the_blocks(tensor, ranks):
    model = Transformer(ModelConfig(**ranks.FULL))
    matrices = sum(p.numel() for name, p in model.blocks.named_parameters() if p.ndim == 2 or name[-6:] in _CUT_BIASES)
    whole = sum(p.numel() for p in model.parameters())
    for rank in tensor[1]:
        assert [rank[n]["train"]["kept"] for n in (2, 4)] == [whole - matrices + matrices // n for n in (2, 4)]


def test_what_does_not_divide_is_refused(tensor):
    for rank in tensor[1]:
        heads, features, latent = rank["refused"]
        assert "n_kv_heads is 2, which 4 processes do not divide" in heads
        assert "d_ff is 30, which 4 processes do not divide" in features
        assert "LatentAttention" in latent
