"""The verb: a server in a process of its own, asked by the real client, stopped by a signal."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
import torch

from llmcourse.alignment import GroceryLists
from llmcourse.architecture import ModelConfig, Transformer, generate, save_huggingface
from llmcourse.sweeps.grocery_models import load_grocery_model
from llmcourse.tokenization import BPETokenizer

MAIN = str(Path(__file__).with_name("train_main.py"))


@contextmanager
def killed(process):
    try:
        yield
    finally:
        process.kill()


@contextmanager
def server(*arguments):
    command = [sys.executable, MAIN, "serve", "--port", "0", "--device", "cpu", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=os.environ | {"COLUMNS": "200"}, **options) as process, killed(process):
        line = process.stdout.readline()
        found = re.search(r"Serving (\S+) \((\d+) tokens of context\) at (http://127\.0\.0\.1:\d+/v1)", line)
        assert found, line + process.stdout.read()
        with openai.OpenAI(api_key="none", base_url=found[3], max_retries=0, timeout=30) as client:
            yield process, client, found[1], int(found[2])


def test_the_model_of_the_course_answers_until_it_is_stopped():
    with server() as (process, client, name, context):
        assert (name, context) == ("grocery-sft", 32)
        messages = [{"role": "user", "content": "buy eggs milk"}]
        answer = client.chat.completions.create(model=name, messages=messages, temperature=0)
        task, model = GroceryLists(), load_grocery_model("sft")
        prompt = task.encode("buy eggs milk :")
        written = generate(model, torch.tensor([prompt]), 16, temperature=0.0, stop_tokens=[task.end])
        said = task.decode(written[0, len(prompt) :].tolist())
        assert answer.choices[0].message.content == said and answer.choices[0].finish_reason == "stop"
        with pytest.raises(openai.BadRequestError, match="there is no word 'ham'"):
            client.completions.create(model=name, prompt="buy ham :")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0 and output.strip() == "What ran is finished."


def test_a_checkpoint_streams_while_it_is_told_to_stop(tmp_path):
    torch.manual_seed(0)
    sizes = {"vocab_size": 257, "d_model": 128, "n_layers": 3, "n_heads": 4, "max_seq_len": 600}
    folder = tmp_path / "own"
    save_huggingface(Transformer(ModelConfig(**sizes)), folder)
    BPETokenizer({i: bytes([i]) for i in range(256)}, [], ["<e>"]).to_huggingface(folder / "tokenizer.json")
    with server(folder, "--name", "mine", "--max-context", "500") as (process, client, name, context):
        assert (name, context) == ("mine", 500)
        tokens = client.completions.create(
            model="mine", prompt="a" * 20, max_tokens=300, temperature=1.0, seed=0, stream=True,
            stream_options={"include_usage": True},
        )  # fmt: skip
        first = next(iter(tokens))
        process.send_signal(signal.SIGTERM)
        stopped = threading.Thread(target=process.wait)
        stopped.start()
        chunks = [first, *tokens]
        assert chunks[-1].usage.completion_tokens == 300 and chunks[-2].choices[0].finish_reason == "length"
        stopped.join(30)
        assert not stopped.is_alive()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dtype", "int3"], "dtype is 'int3': choose fp32, bf16 or fp16"),
        (["--cache-gib", "0"], "cache_gib is 0.0"),
        (["--queue", "-1"], "queue is -1"),
        (["--max-context", "33"], "max_context is 33: the model and the cache have room for 32 tokens"),
        (["--body-kib", "0"], "max_body_bytes is 0"),
        (["nowhere"], "nowhere is no folder"),
    ],
)
def test_what_cannot_be_is_refused(run, arguments, message):
    code, output = run("serve", "--device", "cpu", "--port", "0", *arguments)
    assert code == 2 and message in output


def test_a_port_that_is_taken_is_refused(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, output = run("serve", "--device", "cpu", "--port", taken.getsockname()[1])
    assert code == 2 and "in use" in output.lower()
