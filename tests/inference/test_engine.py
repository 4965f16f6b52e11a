import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import generate
from llmcourse.inference import Engine, QueueFull, SamplingParams, TokenEvent


def draw(shape, seed=0):
    return torch.randint(61, shape, generator=torch.Generator().manual_seed(seed))


def alone(model, prompt, params):
    """What `generate` draws for one request, without any cache."""
    drawn = generate(
        model,
        torch.tensor([prompt]),
        params.max_new_tokens,
        temperature=params.temperature,
        top_k=params.top_k,
        top_p=params.top_p,
        min_p=params.min_p,
        stop_tokens=params.stop_tokens,
        seed=params.seed,
    )
    return drawn[0, len(prompt) :].tolist()


PARAMS = st.builds(
    SamplingParams,
    max_new_tokens=st.integers(1, 12),
    temperature=st.sampled_from([0.0, 0.5, 1.0, 1.7]),
    top_k=st.sampled_from([None, 1, 5, 40]),
    top_p=st.sampled_from([None, 0.3, 0.9]),
    min_p=st.sampled_from([None, 0.05]),
    stop_tokens=st.lists(st.integers(0, 60), max_size=6).map(tuple),
    seed=st.integers(0, 9),
)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_each_request_gets_what_it_gets_alone(variants, data):
    model = variants[data.draw(st.sampled_from(sorted(variants)))]
    batch = data.draw(st.integers(1, 5))
    engine = Engine(
        model,
        n_blocks=data.draw(st.integers(8, 20)),  # few enough that some have to give way
        block_size=data.draw(st.integers(4, 6)),
        max_batch_size=batch,
        max_step_tokens=data.draw(st.integers(batch, 20)),
        share_prefixes=data.draw(st.booleans()),
    )
    lengths = data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=6))
    # Few different prompts, so that some begin alike.
    prompts = [draw((n,), data.draw(st.integers(0, 1))).tolist() for n in lengths]
    params = [data.draw(PARAMS) for _ in prompts]
    assert engine.generate(prompts, params) == [alone(model, *pair) for pair in zip(prompts, params, strict=True)]
    assert not engine.has_work and engine.cache.tables.allocator.n_used == 0


def test_preemption_changes_nothing(model):
    engine = Engine(model, n_blocks=8, block_size=4, share_prefixes=False)
    prompts = [draw((6,), seed).tolist() for seed in range(4)]
    params = [SamplingParams(max_new_tokens=20, seed=seed) for seed in range(4)]
    outputs = engine.generate(prompts, params)
    assert engine.scheduler.n_preemptions > 0
    assert outputs == [alone(model, *pair) for pair in zip(prompts, params, strict=True)]


def test_events_come_in_order_and_end_once(model):
    engine = Engine(model, n_blocks=32)
    params = [SamplingParams(max_new_tokens=n, temperature=0.0) for n in (3, 1, 5)]
    prompts = [draw((4,), seed).tolist() for seed in range(3)]
    ids = [engine.submit(*pair) for pair in zip(prompts, params, strict=True)]
    events = []
    while engine.has_work:
        events += engine.step()
    for i, prompt, asked in zip(ids, prompts, params, strict=True):
        mine = [event for event in events if event.request_id == i]
        assert [event.token for event in mine] == alone(model, prompt, asked)
        assert [event.finish_reason for event in mine] == [None] * (asked.max_new_tokens - 1) + ["length"]


def test_streams_can_be_interleaved_and_left(model):
    engine = Engine(model, n_blocks=32)
    params = SamplingParams(max_new_tokens=6, temperature=0.0)
    prompts = [draw((4,), seed).tolist() for seed in range(2)]
    first, second = (engine.stream(prompt, params) for prompt in prompts)
    pairs = [(a.token, b.token) for a, b in zip(first, second, strict=True)]
    assert [list(tokens) for tokens in zip(*pairs, strict=True)] == [alone(model, p, params) for p in prompts]
    left = engine.stream(prompts[0], params)
    next(left)
    left.close()
    assert not engine.has_work and engine.cache.tables.allocator.n_used == 0


def test_a_stop_token_is_the_last(model):
    engine, prompt = Engine(model, n_blocks=32), draw((4,)).tolist()
    whole = alone(model, prompt, SamplingParams(max_new_tokens=12, seed=3))
    stopped = SamplingParams(max_new_tokens=12, seed=3, stop_tokens=[whole[4]])
    events = list(engine.stream(prompt, stopped))
    assert [event.token for event in events] == whole[: whole.index(whole[4]) + 1]
    assert events[-1].finish_reason == "stop" and events[-2].finish_reason is None


def test_cancellation_frees_blocks_and_leaves_others_alone(model):
    engine = Engine(model, n_blocks=32, max_batch_size=2)
    params = SamplingParams(max_new_tokens=8, temperature=0.0)
    prompts = [draw((5,), seed).tolist() for seed in range(3)]
    ids = [engine.submit(prompt, params) for prompt in prompts]
    engine.step()
    assert engine.cancel(ids[0]) and engine.cancel(ids[2])  # one that runs, and one that waits
    events = [event for _ in range(8) for event in engine.step()]
    assert not engine.cancel(ids[0]) and not engine.cancel(ids[1]) and not engine.cancel(99)
    gone = [event for event in events if event.finish_reason == "cancelled"]
    assert gone == [TokenEvent(request_id=i, token=None, finish_reason="cancelled") for i in (ids[0], ids[2])]
    first = alone(model, prompts[1], params)[:1]  # of the first step
    assert first + [event.token for event in events if event.request_id == ids[1]] == alone(model, prompts[1], params)
    assert not engine.has_work and engine.cache.tables.allocator.n_used == 0


def test_a_shared_beginning_is_read_once(model):
    reports = []
    engine = Engine(model, n_blocks=32, block_size=4, observer=reports.append)
    params = SamplingParams(max_new_tokens=2, temperature=0.0)
    prompt = draw((18,)).tolist()
    engine.generate([prompt], params)
    engine.generate([[*prompt[:13], 1, 2, 3]], params)
    assert [report.n_prefilled for report in reports] == [18, 0, 4, 0]  # three blocks of 4 tokens were there


def test_a_long_prompt_comes_in_chunks_beside_others(model):
    reports = []
    engine = Engine(model, n_blocks=32, max_batch_size=2, max_step_tokens=8, observer=reports.append)
    params = SamplingParams(max_new_tokens=4, temperature=0.0)
    engine.submit(draw((3,)).tolist(), params)
    engine.step()
    engine.submit(draw((20,)).tolist(), params)
    while engine.has_work:
        engine.step()
    assert [(r.n_decoded, r.n_prefilled) for r in reports] == [(0, 3), (1, 7), (1, 7), (1, 6), (1, 0), (1, 0), (1, 0)]


def test_a_pass_that_fails_can_be_taken_again(model):
    class Failing(type(model)):
        fails = False

        def hidden(self, *args, **options):
            found = super().hidden(*args, **options)
            if self.fails:
                raise RuntimeError("out of memory")
            return found

    model.__class__ = Failing
    engine = Engine(model, n_blocks=32, block_size=4)
    params = [SamplingParams(max_new_tokens=9, seed=seed) for seed in range(2)]
    prompts = [draw((7,), seed).tolist() for seed in range(2)]
    expected = [alone(model, *pair) for pair in zip(prompts, params, strict=True)]
    ids = [engine.submit(*pair) for pair in zip(prompts, params, strict=True)]
    events = engine.step()
    for _ in range(6):
        model.fails = True
        with pytest.raises(RuntimeError, match="out of memory"):
            engine.step()
        used = engine.cache.tables.allocator.n_used
        model.fails = False
        events += engine.step()
        assert engine.cache.tables.allocator.n_used - used in (0, 2)
    while engine.has_work:
        events += engine.step()
    assert [[event.token for event in events if event.request_id == i] for i in ids] == expected


def test_a_seed_that_is_not_given_comes_from_torch(model):
    engine, prompt = Engine(model, n_blocks=32), draw((4,)).tolist()
    outputs = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        outputs.append(engine.generate([prompt, prompt], SamplingParams(max_new_tokens=12)))
    assert outputs[0] == outputs[1] != outputs[2] and outputs[0][0] != outputs[0][1]


def test_what_cannot_be_served_is_refused_at_once(model, make_model):
    engine = Engine(model, n_blocks=4, block_size=4, max_batch_size=1, max_waiting=1)
    params = SamplingParams(max_new_tokens=4)
    with pytest.raises(ValueError, match=r"the prompt has 0 ids"):
        engine.submit([], params)
    with pytest.raises(ValueError, match=r"the prompt has 2 ids, of which \[61\] are none: give 0 to 60"):
        engine.submit([60, 61], params)
    with pytest.raises(ValueError, match="13 tokens and 4 new ones are more than 16"):
        engine.submit([1] * 13, params)
    learned = Engine(make_model(position_embedding="learned"), n_blocks=40, block_size=4)
    with pytest.raises(ValueError, match="61 tokens and 4 new ones are more than 64"):
        learned.submit([1] * 61, params)
    engine.submit([1], params)
    engine.submit([1], params)
    with pytest.raises(QueueFull, match="2 requests run or wait already: no more than 2 may"):
        engine.submit([1], params)
    with pytest.raises(ValueError, match="there are 2 prompts and 1 params"):
        engine.generate([[1], [2]], [params])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0: ask for at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SamplingParams(**options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_each_request_gets_what_it_gets_alone(model):
    model = model.cuda()
    engine = Engine(model, n_blocks=10, block_size=4, max_step_tokens=40)
    prompts = [draw((n,), seed).tolist() for seed, n in enumerate((3, 17, 8, 5))]
    for params in (SamplingParams(max_new_tokens=10, temperature=0.0), SamplingParams(max_new_tokens=10, seed=1)):
        expected = []
        for prompt in prompts:
            options = {"temperature": params.temperature, "seed": params.seed}
            drawn = generate(model, torch.tensor([prompt], device="cuda"), 10, **options)
            expected.append(drawn[0, len(prompt) :].tolist())
        assert engine.generate(prompts, params) == expected
