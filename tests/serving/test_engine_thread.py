import queue
import threading
import time

import pytest
import torch

from llmcourse.architecture import generate
from llmcourse.inference import Engine, QueueFull, SamplingParams, TokenEvent
from llmcourse.serving import EngineFailed, EngineThread, ShuttingDown

GREEDY = SamplingParams(max_new_tokens=6, temperature=0.0)


def tokens_of(events):
    tokens = []
    while True:
        event = events.get(timeout=20)
        if isinstance(event, EngineFailed):
            raise event
        if event.token is not None:
            tokens.append(event.token)
        if event.finish_reason is not None:
            return tokens, event.finish_reason


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_requests_from_many_threads_get_what_each_gets_alone(model):
    prompts = [[i, i + 1, i + 2] for i in range(12)]
    found = {}

    def ask(i):
        events = queue.Queue()
        thread.submit(prompts[i], GREEDY, events.put)
        found[i] = tokens_of(events)[0]

    with EngineThread(Engine(model, n_blocks=32, max_batch_size=5)) as thread:
        askers = [threading.Thread(target=ask, args=(i,)) for i in range(12)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
    for i, prompt in enumerate(prompts):
        assert found[i] == generate(model, torch.tensor([prompt]), 6, temperature=0.0)[0, 3:].tolist()
    assert thread.n_open == 0


def test_closing_finishes_what_runs_and_takes_no_more(gated):
    thread, events = EngineThread(Engine(gated, n_blocks=32)), queue.Queue()
    thread.submit([1, 2], GREEDY, events.put)
    closing = threading.Thread(target=thread.close)
    closing.start()
    until(lambda: thread._closing)
    with pytest.raises(ShuttingDown, match="ask another one"):
        thread.submit([1, 2], GREEDY, events.put)
    gated.gate.set()
    closing.join(20)
    assert not thread._thread.is_alive() and len(tokens_of(events)[0]) == 6


def test_closing_in_haste_cancels(gated):
    thread, events = EngineThread(Engine(gated, n_blocks=99)), queue.Queue()
    thread.submit([1, 2], SamplingParams(max_new_tokens=1000), events.put)
    threading.Timer(0.1, gated.gate.set).start()
    thread.close(timeout_s=0.05)
    tokens, reason = tokens_of(events)
    assert reason == "cancelled" and len(tokens) < 1000 and thread.engine.cache.tables.allocator.n_used == 0


def test_the_queue_is_full_until_someone_leaves(gated):
    events = queue.Queue()
    with EngineThread(Engine(gated, n_blocks=32, max_batch_size=1, max_waiting=1)) as thread:
        first = thread.submit([1], GREEDY, events.put)
        thread.submit([2], GREEDY, events.put)
        with pytest.raises(QueueFull, match="2 requests run or wait already: no more than 2 may"):
            thread.submit([3], GREEDY, events.put)
        thread.cancel(first)
        gated.gate.set()
        until(lambda: thread.n_open < 2)
        thread.submit([3], GREEDY, events.put)
    assert thread.n_open == 0


def test_a_cancelled_request_is_heard_of_no_more(gated):
    with EngineThread(Engine(gated, n_blocks=32)) as thread:
        events = queue.Queue()
        ticket = thread.submit([1], SamplingParams(max_new_tokens=400), events.put)
        thread.cancel(ticket)
        thread.cancel(ticket)
        gated.gate.set()
        until(lambda: thread.n_open == 0)
        assert events.qsize() <= 1 and not thread.engine.has_work  # one token may have been on its way


def test_a_failing_model_ends_its_requests_and_not_the_thread(gated):
    with EngineThread(Engine(gated, n_blocks=32)) as thread:
        gated.fails = True
        events = [queue.Queue(), queue.Queue()]
        for i in range(2):
            thread.submit([i], GREEDY, events[i].put)
        gated.gate.set()
        for mine in events:
            with pytest.raises(EngineFailed, match="RuntimeError: out of memory"):
                tokens_of(mine)
        gated.fails = False
        thread.submit([1], GREEDY, events[0].put)
        assert len(tokens_of(events[0])[0]) == 6


def test_a_listener_that_is_gone_ends_its_request_alone(model):
    def gone(event: TokenEvent | EngineFailed) -> None:
        raise RuntimeError("event loop is closed")

    with EngineThread(Engine(model, n_blocks=32)) as thread:
        events = queue.Queue()
        thread.submit([1], GREEDY, gone)
        thread.submit([2], GREEDY, events.put)
        assert len(tokens_of(events)[0]) == 6
        until(lambda: thread.n_open == 0)


def test_what_can_never_be_served_is_refused_at_once(model):
    with EngineThread(Engine(model, n_blocks=1)) as thread:
        with pytest.raises(ValueError, match="15 tokens and 6 new ones are more than 16"):
            thread.submit([1] * 15, GREEDY, print)
        assert thread.n_open == 0


def test_an_engine_that_refuses_late_does_not_end_the_thread(model, monkeypatch):
    with EngineThread(Engine(model, n_blocks=8)) as thread:
        events = queue.Queue()
        with monkeypatch.context() as patch:
            patch.setattr(thread.engine, "submit", lambda *_: 1 / 0)
            thread.submit([1], GREEDY, events.put)
            with pytest.raises(EngineFailed, match="ZeroDivisionError"):
                tokens_of(events)
        assert thread.n_open == 0
        thread.submit([1], GREEDY, events.put)
        assert len(tokens_of(events)[0]) == 6
