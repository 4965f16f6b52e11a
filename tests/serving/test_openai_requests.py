import pytest

from llmcourse.serving.openai_requests import BadRequest, read_chat, read_completion
from llmcourse.serving.text_codec import BPECodec
from llmcourse.tokenization import BPETokenizer

CODEC = BPECodec(BPETokenizer({i: bytes([i]) for i in range(256)}, [], ["<|im_start|>", "<|im_end|>"]))
HELLO = [{"role": "user", "content": "hi"}]


def completion(**body):
    return read_completion({"model": "m", "prompt": "ab"} | body, CODEC, max_context=100)


def chat(**body):
    return read_chat({"model": "m", "messages": HELLO} | body, CODEC, max_context=100)


def test_a_completion_as_it_is_asked_for():
    ask = completion(
        max_tokens=5, temperature=0.5, top_p=0.9, top_k=7, min_p=0.1, seed=3, stop="x", stream=True,
        stream_options={"include_usage": True}, user="me", n=1, logprobs=None, presence_penalty=0,
    )  # fmt: skip
    params = ask.params
    assert (ask.prompt, ask.stop, ask.stream, ask.include_usage, ask.chat) == ([97, 98], ("x",), True, True, False)
    assert (params.max_new_tokens, params.temperature, params.top_p) == (5, 0.5, 0.9)
    assert (params.top_k, params.min_p, params.seed, params.stop_tokens) == (7, 0.1, 3, (257,))


def test_what_is_not_said():
    ask = completion()
    assert (ask.params.max_new_tokens, ask.params.temperature, ask.stream, ask.stop) == (16, 1.0, False, ())
    assert chat().params.max_new_tokens == 100 - len(chat().prompt)
    assert completion(temperature=0).params.temperature == 0


@pytest.mark.parametrize("prompt", [[97, 98], ["ab"], [[97, 98]]])
def test_prompts_of_other_forms(prompt):
    assert completion(prompt=prompt).prompt == [97, 98]


def test_messages_of_parts_and_of_developers():
    parts = [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]
    assert chat(messages=[{"role": "user", "content": parts}]).prompt == chat().prompt
    system, developer = (chat(messages=[{"role": r, "content": "x"}, *HELLO]).prompt for r in ("system", "developer"))
    assert system == developer and chat(max_completion_tokens=7).params.max_new_tokens == 7


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({"prompt": None}, "prompt has to be one text", "prompt"),
        ({"prompt": ["a", "b"]}, "prompt has to be one text", "prompt"),
        ({"prompt": ""}, "the prompt is empty", "prompt"),
        ({"max_tokens": 99}, "2 tokens of prompt and 99 new ones are more than this model's 100", "prompt"),
        ({"max_tokens": "9"}, "max_tokens is '9': give a whole number", "max_tokens"),
        ({"max_tokens": True}, "max_tokens is True", "max_tokens"),
        ({"max_tokens": 0}, "max_new_tokens is 0", None),
        ({"temperature": "hot"}, "temperature is 'hot': give a number", "temperature"),
        ({"temperature": -1}, "temperature is -1", None),
        ({"top_p": 0}, "top_p is 0", None),
        ({"seed": 2**70}, "give a whole number", "seed"),
        ({"stop": ["a", ""]}, "stop has to be a text", "stop"),
        ({"stop": list("abcde")}, "at most four", "stop"),
        ({"stream": 1}, "stream is 1: give true or false", "stream"),
        ({"stream_options": [1]}, "give an object", "stream_options"),
        ({"n": 2}, "n is 2, which this server does not do", "n"),
        ({"logprobs": 5}, "logprobs is 5, which this server does not do", "logprobs"),
        ({"heat": 1}, "there is no field 'heat'", "heat"),
        ({"messages": HELLO}, "there is no field 'messages'", "messages"),
    ],
)
def test_completions_that_cannot_be_are_refused(body, message, param):
    with pytest.raises(BadRequest, match=message) as refused:
        completion(**body)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": []}, "at least one message"),
        ({"messages": "hi"}, "at least one message"),
        ({"messages": ["hi"]}, "message is 'hi': give an object"),
        ({"messages": [{"role": "cat", "content": "x"}]}, "give an object with role and content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "content has to be text"),
        ({"messages": [{"role": "user", "content": "x" * 200}]}, "more than this model's 100"),
        ({"tools": [{"type": "function"}]}, "which this server does not do"),
    ],
)
def test_chats_that_cannot_be_are_refused(body, message):
    with pytest.raises(BadRequest, match=message):
        chat(**body)


def test_a_prompt_that_is_too_long_has_openais_code():
    with pytest.raises(BadRequest) as refused:
        completion(prompt="x" * 100)
    assert refused.value.code == "context_length_exceeded"
