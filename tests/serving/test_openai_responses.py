import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from llmcourse.inference import SamplingParams
from llmcourse.serving.openai_requests import Ask
from llmcourse.serving.openai_responses import AnswerForm, error_body


def form(*, chat):
    return AnswerForm(Ask(prompt=[1, 2, 3], params=SamplingParams(), chat=chat), "small")


def test_the_types_of_the_client_take_them_strictly():
    completion = Completion.model_validate(form(chat=False).whole("eggs", "length", n_new=4))
    assert completion.choices[0].text == "eggs" and completion.usage.total_tokens == 7
    answer = ChatCompletion.model_validate(form(chat=True).whole("eggs", "stop", n_new=4))
    assert answer.choices[0].message.content == "eggs" and answer.object == "chat.completion"
    chunks = [form(chat=True).opening(), form(chat=True).piece("eg", None), form(chat=True).piece("", "stop")]
    parsed = [ChatCompletionChunk.model_validate(chunk) for chunk in [*chunks, form(chat=True).usage(n_new=4)]]
    assert parsed[0].choices[0].delta.role == "assistant" and parsed[1].choices[0].delta.content == "eg"
    assert parsed[2].choices[0].finish_reason == "stop" and parsed[3].usage.completion_tokens == 4


def test_one_answer_has_one_id_and_another_another():
    one = form(chat=False)
    assert one.piece("a", None)["id"] == one.piece("b", "stop")["id"] != form(chat=False).piece("a", None)["id"]
    assert one.opening() is None


@pytest.mark.parametrize("code", [None, "context_length_exceeded"])
def test_errors(code):
    body = error_body("too long", kind="invalid_request_error", param="prompt", code=code)
    assert body == {"error": {"message": "too long", "type": "invalid_request_error", "param": "prompt", "code": code}}
