"""What the tests of serving share: a small model, and one whose steps wait until they are let go."""

import threading

import pytest
import torch

from llmcourse.architecture import ModelConfig, Transformer


def small_model(**options):
    torch.manual_seed(0)
    sizes = {"vocab_size": 258, "d_model": 32, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "init_std": 0.2}
    return Transformer(ModelConfig(**sizes | options)).eval().requires_grad_(False)


class Gated(Transformer):
    """A model that reads only while its gate is open, and fails when it is told to."""

    def hidden(self, *args, **options):
        assert self.gate.wait(20)
        if self.fails:
            raise RuntimeError("out of memory")
        return super().hidden(*args, **options)


@pytest.fixture(scope="session")
def make_model():
    return small_model


@pytest.fixture
def model():
    return small_model()


@pytest.fixture
def gated(model):
    model.__class__ = Gated
    model.gate, model.fails = threading.Event(), False
    yield model
    model.gate.set()
