import asyncio

import pytest

from llmcourse.inference import Engine, SamplingParams
from llmcourse.serving import EngineFailed, EngineThread, ShuttingDown
from llmcourse.serving.answering import Answering
from llmcourse.serving.openai_requests import Ask
from llmcourse.serving.text_codec import BPECodec
from llmcourse.tokenization import BPETokenizer

CODEC = BPECodec(BPETokenizer({i: bytes([i]) for i in range(256)}, [], ["<a>", "<b>"]))


def ask(n_new, **options):
    return Ask(prompt=[1, 2], params=SamplingParams(max_new_tokens=n_new, seed=1), **options)


def test_pieces_add_up_to_the_whole(model):
    async def both():
        whole = await Answering(thread, CODEC, ask(20)).whole()
        pieces = [piece async for piece in Answering(thread, CODEC, ask(20)).pieces()]
        return whole, pieces

    with EngineThread(Engine(model, n_blocks=16)) as thread:
        whole, pieces = asyncio.run(both())
    assert "".join(piece.text for piece in pieces) == whole.text and whole.n_new == 20
    assert [piece.reason for piece in pieces[:-1]] == [None] * (len(pieces) - 1) and pieces[-1].reason == "length"
    assert all(piece.text for piece in pieces[:-1])


def test_a_stop_sequence_ends_it_before_all_tokens(model):
    with EngineThread(Engine(model, n_blocks=16)) as thread:
        text = asyncio.run(_whole(thread, ask(40))).text
        stopped = asyncio.run(_whole(thread, ask(40, stop=(text[5],))))
    assert stopped.text == text[: text.index(text[5])] and stopped.reason == "stop" and stopped.n_new < 40
    assert thread.engine.cache.tables.allocator.n_used == 0


def test_it_ends_with_its_listeners_loop(model):
    async def leave():
        async for _ in Answering(thread, CODEC, ask(200)).pieces():
            return

    with EngineThread(Engine(model, n_blocks=16)) as thread:
        asyncio.run(leave())
    assert thread.n_open == 0 and thread.engine.cache.tables.allocator.n_used == 0


def test_errors_come_through(gated):
    async def in_haste():
        answering = Answering(thread, CODEC, ask(200))
        asyncio.get_running_loop().call_later(0.05, gated.gate.set)
        closing = asyncio.to_thread(thread.close, timeout_s=0.0)
        found, _ = await asyncio.gather(answering.whole(), closing, return_exceptions=True)
        return found

    thread = EngineThread(Engine(gated, n_blocks=16))
    assert isinstance(asyncio.run(in_haste()), ShuttingDown)
    gated.fails = True
    with EngineThread(Engine(gated, n_blocks=16)) as another, pytest.raises(EngineFailed, match="out of memory"):
        asyncio.run(_whole(another, ask(2)))


async def _whole(thread, asked):
    return await Answering(thread, CODEC, asked).whole()
