import torch

from llmcourse.architecture import generate
from llmcourse.inference import ContinuousBatching, StaticBatching, measure_step_cost, replay
from llmcourse.inference.arrival_trace import arrival_trace
from llmcourse.inference.measured_batching import _prompt

OPTIONS = {"prompt_tokens": 6.0, "new_tokens": 8.0, "max_tokens": 30}


def test_both_give_each_request_its_tokens(model):
    trace = arrival_trace(12, rate_per_s=1000.0, seed=0, **OPTIONS)
    for server in (StaticBatching(model, batch_size=4), ContinuousBatching(model, batch_size=4, n_blocks=12)):
        report = replay(trace, server, batch_size=4)
        assert [len(times) for times in report.token_times_s] == [arrival.n_new for arrival in trace]
        assert not server.has_work and 0 < report.utilization <= 1


def test_a_static_batch_writes_what_each_row_writes_alone(model):
    trace = arrival_trace(3, rate_per_s=1000.0, seed=1, **OPTIONS)
    server = StaticBatching(model, batch_size=3)
    for i, arrival in enumerate(trace):
        server.submit(i, arrival)
    rows = [[], [], []]
    while server.has_work:
        step = server.step()
        if server._last is not None:
            for i in step.tokens:
                rows[i].append(server._last[i].item())
    for i, arrival in enumerate(trace):
        prompt = _prompt(i, arrival.n_prompt, 61)
        alone = generate(model, torch.tensor([prompt]), arrival.n_new, temperature=0.0)[0, len(prompt) :].tolist()
        assert rows[i] == alone[: len(rows[i])] and len(rows[i]) >= arrival.n_new - 1


def test_steps_are_fewer_for_the_same_tokens(model):
    # Seconds depend on the machine; steps and rows do not.
    trace = arrival_trace(40, rate_per_s=10**6, seed=2, **OPTIONS)
    static = replay(trace, StaticBatching(model, batch_size=8), batch_size=8)
    continuous = replay(trace, ContinuousBatching(model, batch_size=8), batch_size=8)
    assert 1.5 * len(continuous.steps) < len(static.steps)
    assert continuous.n_tokens == static.n_tokens == sum(arrival.n_new for arrival in trace)


def test_a_step_costs_something(model):
    cost = measure_step_cost(model, rounds=2)
    assert cost.step_s >= 0 and cost.token_s >= 0 and cost.seconds(8) > 0
