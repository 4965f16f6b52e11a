import contextlib
import json
import re
import socket
import threading
import time

import httpx
import openai
import pytest
import torch
import uvicorn

from llmcourse.architecture import generate
from llmcourse.inference import Engine
from llmcourse.serving import EngineThread
from llmcourse.serving.http_server import ServerConfig, make_app
from llmcourse.serving.text_codec import BPECodec
from llmcourse.tokenization import CHATML, BPETokenizer

TOKENIZER = BPETokenizer({i: bytes([i]) for i in range(256)}, [], ["<|im_start|>", "<|im_end|>"])
CODEC = BPECodec(TOKENIZER)
HELLO = [{"role": "user", "content": "hi"}]
COMPLETION = {"model": "small", "prompt": "ab"}
JSON = "content-type: application/json\r\n"


class Served:
    def __init__(self, model, **options):
        engine_options = {"n_blocks": 64, "max_batch_size": 4} | options.pop("engine", {})
        self.thread = EngineThread(Engine(model, **engine_options))
        config = ServerConfig(**{"model": "small", "max_context": 400} | options)
        app = make_app(self.thread, CODEC, config)
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
        self._running = threading.Thread(target=self.server.run, daemon=True)
        self._running.start()
        until(lambda: self.server.started)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = openai.OpenAI(api_key="none", base_url=f"{self.url}/v1", max_retries=0, timeout=30)

    def post(self, path="/v1/completions", kind="application/json", **options):
        return httpx.post(self.url + path, timeout=30, trust_env=False, headers={"content-type": kind}, **options)

    def stop(self):
        self.server.should_exit = True
        self._running.join(30)
        assert not self._running.is_alive()
        self.client.close()


@contextlib.contextmanager
def serving(model, **options):
    served = Served(model, **options)
    try:
        yield served
    finally:
        if gate := getattr(model, "gate", None):
            gate.set()
        served.stop()


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def greedy(model, prompt, n_new):
    return generate(model, torch.tensor([prompt]), n_new, temperature=0.0)[0, len(prompt) :].tolist()


@pytest.fixture(scope="module")
def served(make_model):
    model = make_model()
    with serving(model, max_body_bytes=5000) as found:
        found.model = model
        yield found


def test_a_completion_is_what_generate_draws(served):
    answer = served.client.completions.create(model="small", prompt="abc", max_tokens=9, temperature=0)
    tokens = greedy(served.model, list(b"abc"), 9)
    stop = tokens.index(257) + 1 if 257 in tokens else 9
    assert answer.choices[0].text == TOKENIZER.decode([token for token in tokens[:stop] if token < 256])
    assert answer.usage.completion_tokens == stop and answer.usage.prompt_tokens == 3
    assert answer.choices[0].finish_reason == ("stop" if 257 in tokens else "length")


def test_a_stream_is_the_whole_in_pieces(served):
    options = {"model": "small", "prompt": "abc", "max_tokens": 12, "temperature": 1.0, "seed": 5}
    whole = served.client.completions.create(**options)
    chunks = list(served.client.completions.create(**options, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == whole.choices[0].text
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]][-1] == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage and len({chunk.id for chunk in chunks}) == 1


def test_a_chat_reads_the_template_and_streams(served):
    options = {"model": "small", "messages": HELLO, "max_tokens": 8, "temperature": 0}
    answer = served.client.chat.completions.create(**options)
    prompt, _ = CHATML.encode(TOKENIZER, HELLO, answer=True)
    tokens = greedy(served.model, prompt, 8)
    expected = TOKENIZER.decode([token for token in tokens[: [*tokens, 257].index(257)] if token < 256])
    assert answer.choices[0].message.content == expected and answer.usage.prompt_tokens == len(prompt)
    chunks = list(served.client.chat.completions.create(**options, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == expected


def test_a_stop_sequence_ends_the_text(served):
    options = {"model": "small", "prompt": "abc", "max_tokens": 30, "temperature": 1.0, "seed": 1}
    whole = served.client.completions.create(**options).choices[0].text
    sequence = next(character for character in whole[3:] if character.isascii())
    answer = served.client.completions.create(**options, stop=[sequence])
    assert answer.choices[0].text == whole[: whole.index(sequence)] and answer.choices[0].finish_reason == "stop"


def test_many_clients_at_once_get_what_each_gets_alone(served):
    texts = {}

    def ask(i):
        options = {"model": "small", "prompt": f"ask {i}", "max_tokens": 10, "seed": i}
        texts[i] = served.client.completions.create(**options).choices[0].text

    askers = [threading.Thread(target=ask, args=(i,)) for i in range(10)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    together = dict(texts)
    for i in range(10):
        ask(i)
    assert texts == together and len(texts) == 10


def test_models_and_health(served):
    assert [model.id for model in served.client.models.list()] == ["small"]
    assert httpx.get(f"{served.url}/health", trust_env=False).json()["status"] == "ok"


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ({"json": COMPLETION | {"model": "large"}}, 404, "there is no model 'large', only 'small'"),
        ({"json": COMPLETION | {"prompt": "a" * 390}}, 400, "390 tokens of prompt and 16 new ones are more than"),
        ({"json": COMPLETION | {"prompt": [999]}}, 400, r"of which \[999\] are none"),
        ({"json": COMPLETION | {"n": 2}}, 400, "n is 2"),
        ({"json": COMPLETION, "kind": "text/plain; charset=utf-8"}, 415, "the content type is 'text/plain'"),
        ({"json": [1]}, 400, "has to be a JSON object"),
        ({"content": b"{"}, 400, "the request is no JSON"),
        ({"content": b"[" * 4000}, 400, "the request is no JSON"),
        ({"content": b"\xff\xfe"}, 400, "the request is no JSON"),
        ({"json": COMPLETION | {"prompt": "a" * 6000}}, 413, "and no more than 5000 may be sent"),
        ({"content": iter([b"x" * 3000] * 3)}, 413, "more than the 5000 bytes"),
    ],
)
def test_what_cannot_be_served_is_refused_in_openais_form(served, options, status, message):
    answer = served.post(**options)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error" and set(error) == {"message", "type", "param", "code"}
    assert re.search(message, error["message"])


def test_the_client_raises_its_own_errors(served):
    with pytest.raises(openai.BadRequestError, match="temperature is -1"):
        served.client.completions.create(model="small", prompt="a", temperature=-1)
    with pytest.raises(openai.NotFoundError, match="there is no model"):
        served.client.chat.completions.create(model="gpt-4", messages=HELLO)
    with pytest.raises(openai.NotFoundError):
        served.client.embeddings.create(model="small", input="a")
    assert served.post("/v1/models").status_code == 405


def test_a_full_queue_is_429_and_others_go_on(gated):
    with serving(gated, engine={"max_batch_size": 1, "max_waiting": 1}) as served:
        answers = []
        askers = [
            threading.Thread(target=lambda: answers.append(served.post(json=COMPLETION | {"max_tokens": 2})))
            for _ in range(2)
        ]
        for asker in askers:
            asker.start()
        until(lambda: served.thread.n_open == 2)
        with pytest.raises(openai.RateLimitError, match="2 requests run or wait already") as full:
            served.client.completions.create(model="small", prompt="a")
        assert full.value.response.headers["retry-after"] == "1"
        gated.gate.set()
        for asker in askers:
            asker.join(20)
        assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("begun", [False, True], ids=["before the first token", "in the midst"])
def test_a_client_that_hangs_up_ends_its_request(gated, stream, begun):
    if begun:
        gated.gate.set()
    opened = gated.gate.wait
    gated.gate.wait = lambda timeout: opened(timeout) and not time.sleep(0.1)  # 390 steps take longer than we wait
    with serving(gated) as served:
        body = json.dumps({"model": "small", "prompt": "ab", "max_tokens": 390, "stream": stream, "temperature": 2.0})
        head = f"POST /v1/completions HTTP/1.1\r\nhost: x\r\n{JSON}content-length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", served.port)) as connection:
            connection.sendall((head + body).encode())
            until(lambda: served.thread.n_open == 1)
            if begun and stream:
                connection.recv(100)
            elif begun:
                time.sleep(0.3)
        if not begun:
            gated.gate.set()
        until(lambda: served.thread.n_open == 0)
        assert not served.thread.engine.has_work
        assert served.thread.engine.cache.tables.allocator.n_used == 0


@pytest.mark.parametrize("stream", [False, True])
def test_shutting_down_finishes_what_runs(gated, stream):
    with serving(gated) as served:
        answers = []

        def ask():
            answers.append(served.post(json=COMPLETION | {"max_tokens": 20, "stream": stream, "seed": 0}))

        asker = threading.Thread(target=ask)
        asker.start()
        until(lambda: served.thread.n_open == 1)
        served.server.should_exit = True
        until(lambda: not served.server.servers[0].is_serving())
        with pytest.raises(httpx.ConnectError):
            served.post(json=COMPLETION)
        gated.gate.set()
        asker.join(20)
    assert answers[0].status_code == 200 and ("[DONE]" in answers[0].text) == stream
    assert not served.thread._thread.is_alive()


def test_a_failing_model_is_500_and_the_next_request_is_served(gated):
    gated.gate.set()
    with serving(gated) as served:
        gated.fails = True
        with pytest.raises(openai.InternalServerError, match="out of memory"):
            served.client.completions.create(model="small", prompt="a")
        with pytest.raises(openai.APIError, match="out of memory"):
            list(served.client.completions.create(model="small", prompt="a", stream=True))
        gated.fails = False
        assert served.client.completions.create(model="small", prompt="a").usage.completion_tokens > 0


def test_a_body_that_does_not_come_is_given_up(model):
    with serving(model, body_timeout_s=0.1) as served:
        with socket.create_connection(("127.0.0.1", served.port)) as connection:
            connection.sendall(
                f"POST /v1/completions HTTP/1.1\r\nhost: x\r\n{JSON}content-length: 9\r\n\r\n{{".encode()
            )
            connection.settimeout(20)
            assert connection.recv(100).startswith(b"HTTP/1.1 408")


def test_limits_are_checked():
    with pytest.raises(ValueError, match="max_context is 0"):
        ServerConfig(model="m", max_context=0)
