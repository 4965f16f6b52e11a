"""The strategy of one process: it is what a plain loop does."""

import torch
from torch import nn

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import MicroBatch, SingleProcess, Strategy

torch.set_num_threads(1)


class Loss:
    def __call__(self, model: nn.Module, batch: MicroBatch) -> torch.Tensor:
        return self.of_logits(model(batch.inputs), batch)

    def of_logits(self, logits: torch.Tensor, batch: MicroBatch) -> torch.Tensor:
        return nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten())


def test_one_process_is_a_plain_loop() -> None:
    torch.manual_seed(0)
    strategy = SingleProcess()
    model = strategy.wrap(Transformer(ModelConfig(vocab_size=7, d_model=8, n_layers=1, n_heads=2)))
    tokens = torch.randint(7, (4, 5))
    batch = MicroBatch(tokens[:, :-1], tokens[:, 1:])
    expected = Loss()(model, batch)
    expected.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    model.zero_grad(set_to_none=True)
    loss = strategy.backward(model, list(batch.split(2)), Loss())
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(strategy.forward(model, batch, Loss()), expected.detach())
    torch.testing.assert_close([parameter.grad for parameter in model.parameters()], gradients)
    torch.testing.assert_close(strategy.clip(model, norm.item() / 2), norm)
    clipped = torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).norm()
    torch.testing.assert_close(clipped, norm / 2)
    assert torch.equal(strategy.reduce_sum(norm), norm)
    assert strategy.any(True) and not strategy.any(False)


def test_it_takes_in_the_state_it_gave() -> None:
    strategy, states = SingleProcess(), []
    for seed in (0, 1):
        torch.manual_seed(seed)
        model = nn.Linear(2, 2)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1 * (seed + 1))
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        if seed:
            strategy.load_state_dict(model, optimizer, states[0])
        states.append(strategy.state_dict(model, optimizer))
    torch.testing.assert_close(states[0], states[1], rtol=0, atol=0)
    assert isinstance(strategy, Strategy)
