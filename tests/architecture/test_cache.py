import pytest
import torch

from llmcourse.architecture import Cache
from llmcourse.architecture.cache import read_and_write


def test_the_protocol_knows_what_keeps_it(cache):
    assert isinstance(cache, Cache) and not isinstance({}, Cache)


def test_read_and_write(cache):
    k, positions = torch.randn(1, 1, 2, 4), torch.arange(2)
    mask = torch.ones(2, 2, dtype=torch.bool)
    keys, values, same = read_and_write(cache, 0, k, k + 1, positions, mask)
    assert torch.equal(keys, k) and torch.equal(values, k + 1) and same is mask
    keys, _, none = read_and_write(cache, 0, k[:, :, :1], k[:, :, :1], torch.tensor([2]))
    assert torch.equal(keys, torch.cat([k, k[:, :, :1]], 2)) and none is None
    with pytest.raises(ValueError, match="positions is None"):
        read_and_write(cache, 0, k, k, None)
