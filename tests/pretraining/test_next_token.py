import copy

import pytest
import torch

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import MicroBatch, NextToken


def setup(precision="fp32", **options):
    torch.manual_seed(0)
    model = Transformer(ModelConfig(vocab_size=64, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2))
    tokens = torch.randint(64, (2, 17))
    mask = torch.rand(2, 16) > 0.3
    return model, MicroBatch(tokens[:, :-1], tokens[:, 1:], mask), NextToken(precision=precision, **options)


def test_it_is_torchs_cross_entropy_over_kept_labels():
    model, batch, loss_of = setup()
    logits = model(batch.inputs)
    expected = torch.nn.functional.cross_entropy(logits[batch.mask], batch.labels[batch.mask])
    torch.testing.assert_close(loss_of(model, batch), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(loss_of.of_logits(logits, batch), expected, rtol=1e-5, atol=1e-6)


def test_z_loss_is_added():
    model, batch, loss_of = setup(z_weight=0.5)
    logits = model(batch.inputs)
    log_z = logits[batch.mask].logsumexp(-1)
    expected = NextToken().of_logits(logits, batch) + 0.5 * log_z.square().mean()
    torch.testing.assert_close(loss_of(model, batch), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("z_weight", [0.0, 1e-4])
@pytest.mark.parametrize(("precision", "tolerance"), [("bf16", 2e-2), ("fp16", 2e-3)])
def test_narrow_products_give_gradients_in_fp32_near_those_of_fp32(precision, tolerance, z_weight):
    # bf16 keeps 8 bits and fp16 11: a rounding of 2^-9 or 2^-12 at each of the layers' products.
    model, batch, narrow = setup(precision, z_weight=z_weight)
    wide_model = copy.deepcopy(model)
    wide = NextToken(z_weight=z_weight)(wide_model, batch)
    loss = narrow(model, batch)
    assert loss.dtype == torch.float32
    assert abs(loss - wide) / wide < tolerance
    wide.backward()
    loss.backward()
    for (name, one), other in zip(model.named_parameters(), wide_model.parameters(), strict=True):
        assert one.grad.dtype == torch.float32, name
        assert (one.grad - other.grad).norm() < 10 * tolerance * other.grad.norm(), name


def test_bad_values_are_quoted():
    with pytest.raises(ValueError, match="precision is 'fp8'"):
        NextToken(precision="fp8")
    with pytest.raises(ValueError, match="z_weight is -1"):
        NextToken(z_weight=-1)
