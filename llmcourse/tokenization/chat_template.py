"""Chat templates: a conversation as one row of tokens, and which of these the model is to learn."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

from llmcourse.tokenization.bpe import BPETokenizer

__all__ = ["CHATML", "ChatTemplate"]

_ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class ChatTemplate:
    r"""How turns are told apart: ChatML, as Qwen and many others have it.

    A turn is ``<|im_start|>role``, a line break, the content, ``<|im_end|>`` and a line break. A template belongs to a
    model as its vocabulary does: with another one than it was trained on, a model answers badly and nothing says why.

    Attributes:
        start: The special token that begins a turn.
        end: The one that ends it. The model learns it: it is how it stops.

    Example:
        >>> print(CHATML.render([{"role": "user", "content": "2 + 2?"}], answer=True))
        <|im_start|>user
        2 + 2?<|im_end|>
        <|im_start|>assistant
        <BLANKLINE>
    """

    _: KW_ONLY
    start: str = "<|im_start|>"
    end: str = "<|im_end|>"

    def render(self, messages: Sequence[Mapping[str, str]], *, answer: bool = False) -> str:
        r"""Return a conversation as text, to be read; what is fed to a model comes from :meth:`encode`.

        Args:
            messages: Each with a ``role`` (system, user, assistant or tool) and a ``content``.
            answer: Begin the assistant's next turn, for the model to write on.

        Returns:
            The text, special tokens spelt out.

        Raises:
            ValueError: A message has another role, or lacks a part.
        """
        turns = [f"{self.start}{role}\n{content}{self.end}\n" for role, content in map(_parts, messages)]
        return "".join(turns) + (f"{self.start}assistant\n" if answer else "")

    def encode(
        self, tokenizer: BPETokenizer, messages: Sequence[Mapping[str, str]], *, answer: bool = False
    ) -> tuple[list[int], list[bool]]:
        r"""Return a conversation's tokens, and a mask that is True at what the assistant says and at its end.

        Contents are ordinary text, whatever they spell: a user who writes ``<|im_end|>`` does not end the turn. The
        head of a turn and its content are encoded apart, so that the tokens before an answer are the same when it is
        learnt and when it is asked for.

        Args:
            tokenizer: It has both special tokens.
            messages: As for :meth:`render`.
            answer: Likewise.

        Returns:
            Ids, and for each whether it is to be learnt.

        Raises:
            ValueError: The tokenizer lacks a special token, or a message is none.

        Example:
            >>> tokenizer = BPETokenizer({i: bytes([i]) for i in range(256)}, [], ["<|im_start|>", "<|im_end|>"])
            >>> ids, mask = CHATML.encode(tokenizer, [{"role": "assistant", "content": "4"}])
            >>> tokenizer.decode([i for i, learnt in zip(ids, mask) if learnt])
            '4<|im_end|>'
        """
        for token in (self.start, self.end):
            if token not in tokenizer.special_tokens:
                raise ValueError(f"the tokenizer has no special token {token!r}, only {list(tokenizer.special_tokens)}")
        ids: list[int] = []
        mask: list[bool] = []

        def add(tokens: list[int], learnt: bool) -> None:
            ids.extend(tokens)
            mask.extend([learnt] * len(tokens))

        for role, content in map(_parts, messages):
            add([tokenizer.special_tokens[self.start], *tokenizer.encode(f"{role}\n")], False)
            said = tokenizer.encode(content, disallowed_special=())
            add([*said, tokenizer.special_tokens[self.end]], role == "assistant")
            add(tokenizer.encode("\n"), False)
        if answer:
            add([tokenizer.special_tokens[self.start], *tokenizer.encode("assistant\n")], False)
        return ids, mask


CHATML = ChatTemplate()


def _parts(message: Mapping[str, str]) -> tuple[str, str]:
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES or not isinstance(content, str):
        raise ValueError(f"message is {dict(message)!r}: give a role of {', '.join(_ROLES)}, and a content of text")
    return role, content
