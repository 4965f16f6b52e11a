"""Writers: a checkpoint, and a server on loopback that fails in every way that servers do."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import pytest
import torch
from small_models import small_model

from llmcourse.alignment import ChatServer, CheckpointWriter, LanguageModelCritic, constitutional_revision
from llmcourse.tokenization import CHATML, BPETokenizer

OPENAI = {"choices": [{"message": {"role": "assistant", "content": "Fine."}}]}
ANTHROPIC = {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Fine."}]}


class Server:
    """Gives its answers one after the other: a status with a body, seconds to be silent, or "cut"."""

    def __init__(self) -> None:
        self.answers, self.requests = [], []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                owner.requests.append((headers, json.loads(body)))
                answer = owner.answers.pop(0)
                if isinstance(answer, float):
                    time.sleep(answer)
                    return
                status, content, *headers = answer
                content = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if status == 206 else content)

            def log_message(self, *arguments) -> None: ...

        self.http: HTTPServer = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1/chat/completions"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def client(self, **options) -> ChatServer:
        return ChatServer(self.url, "small", **{"backoff_s": 0.0, "timeout_s": 5.0} | options)


@pytest.fixture
def server():
    found = Server()
    yield found
    found.http.shutdown()
    found.thread.join()
    found.http.server_close()


def test_openai_is_asked_and_read_as_it_wants(server) -> None:
    server.answers = [(200, OPENAI)]
    assert server.client(api_key="secret-key")("How?") == "Fine."
    headers, body = server.requests[0]
    assert headers["authorization"] == "Bearer secret-key"
    assert body["messages"] == [{"role": "user", "content": "How?"}] and body["model"] == "small"


def test_anthropic_likewise(server) -> None:
    server.answers = [(200, ANTHROPIC)]
    assert server.client(api="anthropic", api_key="secret-key")("How?") == "Fine."
    headers, body = server.requests[0]
    assert headers["x-api-key"] == "secret-key" and "authorization" not in headers
    assert headers["anthropic-version"] and body["max_tokens"] == 500


@pytest.mark.parametrize(
    "bad",
    [
        0.6,  # silence beyond the time-out
        (500, {}),
        (429, {}),
        (529, {}),
        (200, b"<html>"),
        (200, b"\xff"),
        (200, {}),
        (200, []),
        (200, {"choices": []}),
        (200, {"choices": [{"message": {"content": None}}]}),
        (200, {"choices": [{"message": {"content": "  "}}]}),
        (206, OPENAI),  # half of what was announced
    ],
    ids=str,
)
def test_what_may_get_better_is_tried_again(server, bad) -> None:
    server.answers = [bad, (200, OPENAI)]
    assert server.client(timeout_s=0.3)("How?") == "Fine."
    assert len(server.requests) == 2


def test_it_gives_up_and_says_what_came_last(server) -> None:
    server.answers = [(500, {}), (200, {}), (503, {})]
    with pytest.raises(ConnectionError, match=r"no usable reply in 3 attempts; the last: it answered 503"):
        server.client(retries=2, api_key="secret-key")("How?")
    server.answers = [(200, {})]
    with pytest.raises(ConnectionError, match="another form than openai's"):
        server.client(retries=0)("How?")


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_will_not_get_better_is_not(server, status: int) -> None:
    server.answers = [(status, {})]
    with pytest.raises(ValueError, match=f"refuses: it answered {status}") as caught:
        server.client(api_key="secret-key")("How?")
    assert len(server.requests) == 1 and "secret-key" not in str(caught.value)


def test_a_redirect_does_not_carry_the_key_away(server) -> None:
    server.answers = [(307, {}, ("Location", server.url)), (200, OPENAI)]
    with pytest.raises(ValueError, match="it answered 307"):
        server.client(api_key="secret-key")("How?")
    assert len(server.requests) == 1


def test_nobody_there() -> None:
    with pytest.raises(ConnectionError, match="in 2 attempts"):
        ChatServer("http://127.0.0.1:9/v1", "small", retries=1, backoff_s=0.0)("How?")


def test_a_server_criticises_and_revises(server) -> None:
    said = [{"choices": [{"message": {"content": text}}]} for text in ("It is rude.", "Please.", "NONE", "NONE")]
    server.answers = [(200, reply) for reply in said]
    critic = LanguageModelCritic(server.client())
    assert constitutional_revision("Open!", "No!", critic=critic).revised == "Please."


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("localhost:8000", {}, "give the whole address"),
        ("file:///etc/passwd", {}, "give the whole address"),
        ("http://example.org/v1", {"api_key": "k"}, "use https"),
        ("http://localhost/v1", {"api": "other"}, "api is 'other'"),
        ("http://localhost/v1", {"retries": -1}, "retries is -1"),
        ("http://localhost/v1", {"timeout_s": 0.0}, r"timeout_s 0\.0"),
    ],
)
def test_addresses_that_will_not_do(url: str, options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChatServer(url, "small", **options)


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(ChatServer("https://example.org/v1", "small", api_key="secret"))


def test_a_checkpoint_writes_until_its_end() -> None:
    tokenizer = BPETokenizer({i: bytes([i]) for i in range(256)}, [], ["<|im_start|>", "<|im_end|>"])
    model = small_model(vocab_size=258, max_seq_len=64)
    with torch.no_grad():  # after the head of an answer it says "ok" and stops, whatever was asked
        for weights in model.blocks.parameters():
            weights.zero_()
        model.embedding.weight.zero_()
        model.output.weight.zero_()
        for place, (before, after) in enumerate([(10, ord("o")), (ord("o"), ord("k")), (ord("k"), 257)]):
            model.embedding.weight[before, place] = 1.0
            model.output.weight[after, place] = 1.0
        model.norm.weight.fill_(1.0)
    writer = CheckpointWriter(model, tokenizer, max_new_tokens=9)
    assert writer("How?") == "ok" and writer.template == CHATML
    assert CheckpointWriter(model, tokenizer, max_new_tokens=1)("How?") == "o"


def test_conversations_are_sent_in_each_servers_form():
    """A tool's result goes as the user's words; Anthropic's servers take the system's beside the messages."""
    said = [("system", "Be brief."), ("user", "6 * 7?"), ("assistant", "call"), ("tool", "42")]
    messages = [{"role": role, "content": content} for role, content in said]
    sent = [{"role": "user", "content": content} if role == "tool" else {"role": role, "content": content}
            for role, content in said]  # fmt: skip
    openai = json.loads(ChatServer("http://localhost:1/x", "m")._request(messages).data)
    assert openai["messages"] == sent
    anthropic = json.loads(ChatServer("http://localhost:1/x", "m", api="anthropic")._request(messages).data)
    assert (anthropic["system"], anthropic["messages"]) == ("Be brief.", sent[1:])
    assert messages[3]["role"] == "tool"
