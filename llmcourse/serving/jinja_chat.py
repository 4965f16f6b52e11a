"""A checkpoint's own chat template, rendered as transformers renders it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

__all__ = ["JinjaChat"]


class JinjaChat:
    r"""A template in Jinja, as it stands in ``tokenizer_config.json`` or ``chat_template.jinja``.

    A template is a program that comes with the weights, so that it runs in Jinja's sandbox.

    Args:
        template: Its text.
        special_tokens: Names that the template may use, such as ``bos_token``.

    Raises:
        ValueError: It is no template.

    Example:
        >>> chat = JinjaChat("{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{{ eos_token }}")
        >>> chat.render([{"role": "user", "content": "hi"}])
        '[user]hi'
    """

    def __init__(self, template: str, *, special_tokens: Mapping[str, str] | None = None) -> None:
        from jinja2 import TemplateError
        from jinja2.ext import loopcontrols
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        environment.filters["tojson"] = _as_json
        environment.globals |= {"raise_exception": _refuse, "strftime_now": datetime.now().strftime}
        self._error, self._special_tokens = TemplateError, dict(special_tokens or {})
        try:
            self._template = environment.from_string(template)
        except TemplateError as error:
            raise ValueError(f"the chat template cannot be read: {error}") from error

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        r"""Return a conversation as text, up to where the assistant begins.

        Args:
            messages: Each with a role and a content.

        Returns:
            The text, special tokens spelt out.

        Raises:
            ValueError: The template takes no such conversation, and says why.
        """
        given: dict[str, Any] = {"messages": [dict(message) for message in messages], "add_generation_prompt": True}
        try:
            return self._template.render(**self._special_tokens, **given)
        except self._error as error:
            raise ValueError(f"the model's chat template takes no such conversation: {error}") from error


def _as_json(value: object, **options: Any) -> str:
    # Jinja's own filter escapes what HTML would misread, which is not what a model has learnt.
    return json.dumps(value, ensure_ascii=False, **options)


def _refuse(message: str) -> NoReturn:
    from jinja2 import TemplateError

    raise TemplateError(message)
