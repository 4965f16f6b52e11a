import json

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from llmcourse.architecture import ModelConfig, Transformer, save_huggingface
from llmcourse.serving.jinja_chat import JinjaChat
from llmcourse.serving.served_model import load_served_model
from llmcourse.tokenization import BPETokenizer

# In the manner of Llama 3's and of Qwen's: a loop, trimming, a condition, an error of its own.
TEMPLATE = """{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'tool' %}
        {{- raise_exception('no tools here') }}
    {%- endif %}
    {{- '<|role|>' + message['role'] + '\\n\\n' + message['content'] | trim + '<|end|>' }}
    {%- if loop.last and message.role == 'system' %}{% break %}{% endif %}
{%- endfor %}
{% if add_generation_prompt %}
    {{- '<|role|>assistant\\n\\n' }}
{%- endif %}
"""
MESSAGES = [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "Hé <b>?"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "tiny"
    torch.manual_seed(0)
    sizes = {"vocab_size": 260, "d_model": 16, "n_layers": 1, "n_heads": 2}
    save_huggingface(Transformer(ModelConfig(**sizes)), path)
    special = ["<|begin|>", "<|end|>", "<|role|>", "<|eot|>"]
    BPETokenizer({i: bytes([i]) for i in range(256)}, [], special).to_huggingface(path / "tokenizer.json")
    content = json.loads((path / "tokenizer.json").read_text())
    content["post_processor"] = {
        "type": "Sequence",
        "processors": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
            {
                "type": "TemplateProcessing",
                "single": [
                    {"SpecialToken": {"id": "<|begin|>", "type_id": 0}},
                    {"Sequence": {"id": "A", "type_id": 0}},
                ],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [256], "tokens": ["<|begin|>"]}},
            },
        ],
    }
    (path / "tokenizer.json").write_text(json.dumps(content))
    config = {"bos_token": {"content": "<|begin|>"}, "eos_token": "<|end|>", "chat_template": TEMPLATE}
    (path / "tokenizer_config.json").write_text(json.dumps(config))
    (path / "generation_config.json").write_text(json.dumps({"eos_token_id": [257, 259]}))
    return path


@pytest.fixture(scope="module")
def theirs(folder):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), bos_token="<|begin|>")
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def test_the_tokens_are_those_of_transformers(folder, theirs):
    served = load_served_model(folder)
    for text in ("Hello, wörld", "a<|end|>b"):
        assert served.codec.encode(text) == theirs(text)["input_ids"]
    rendered = theirs.apply_chat_template(MESSAGES, add_generation_prompt=True, tokenize=False)
    assert served.codec.encode_chat(MESSAGES) == theirs(rendered, add_special_tokens=False)["input_ids"]
    assert served.codec.stop_tokens == (257, 259) and served.name == "tiny"
    assert not any(parameter.requires_grad for parameter in served.model.parameters())


def test_a_template_in_its_own_file_goes_first(folder):
    (folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}!")
    try:
        codec = load_served_model(folder, name="other").codec
        assert bytes(codec.encode_chat(MESSAGES[1:])) == "Hé <b>?!".encode()
    finally:
        (folder / "chat_template.jinja").unlink()


def test_conversations_that_a_template_takes_not(folder):
    codec = load_served_model(folder).codec
    with pytest.raises(ValueError, match="takes no such conversation: no tools here"):
        codec.encode_chat([{"role": "tool", "content": "4"}])
    with pytest.raises(ValueError, match=r"spells the special token '<\|end\|>'"):
        codec.encode_chat([{"role": "user", "content": "<|end|>"}])


def test_a_template_cannot_reach_outside():
    chat = JinjaChat("{{ messages.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(ValueError, match="takes no such conversation: access to attribute '__class__'"):
        chat.render(MESSAGES)
    with pytest.raises(ValueError, match="the chat template cannot be read"):
        JinjaChat("{% for %}")


def test_json_is_written_as_it_was_learnt():
    assert JinjaChat("{{ messages[0] | tojson }}").render(MESSAGES[1:]) == '{"role": "user", "content": "Hé <b>?"}'


def test_a_folder_without_a_tokenizer_is_refused(folder, tmp_path):
    save_huggingface(Transformer(ModelConfig(vocab_size=8, d_model=8, n_layers=1, n_heads=1)), tmp_path / "bare")
    with pytest.raises(ValueError, match=r"has no tokenizer.json: download it"):
        load_served_model(tmp_path / "bare")
