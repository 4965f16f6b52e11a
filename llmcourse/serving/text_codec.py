"""Text in and out of a model that is served: what a request's text is to the model, and its tokens to the user."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from llmcourse.tokenization import CHATML, BPETokenizer

__all__ = ["BPECodec", "ChatRenderer", "TextCodec", "WordCodec"]

Message = Mapping[str, str]


class TextCodec(Protocol):
    """What a server has to know of a model's text."""

    stop_tokens: tuple[int, ...]

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text that is to be continued; raise ValueError where it cannot be written."""
        ...

    def encode_chat(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a conversation that is to be answered; raise ValueError where there is none."""
        ...

    def piece(self, token: int, *, first: bool) -> bytes:
        """Return what a token adds to the text, which need not be a whole character; nothing for a special one."""
        ...


class ChatRenderer(Protocol):
    """A checkpoint's own way to write a conversation as text."""

    def render(self, messages: Sequence[Message]) -> str:
        """Return the text, special tokens spelt out, up to where the assistant begins."""
        ...


class BPECodec:
    r"""A byte-pair tokenizer, and a chat template: the checkpoint's own, or ChatML where its tokens are known.

    A prompt for completion may spell special tokens, as with Hugging Face's tokenizers. What people say in a
    conversation may not: they could end their turn, and speak as somebody else.

    Args:
        tokenizer: The model's.
        first_tokens: Stand before each prompt for completion, such as ``<s>``.
        stop_tokens: End an answer.
        chat: The checkpoint's own template.

    Example:
        >>> tokenizer = BPETokenizer({i: bytes([i]) for i in range(256)}, [], ["<|im_start|>", "<|im_end|>"])
        >>> codec = BPECodec(tokenizer)
        >>> codec.stop_tokens, len(codec.encode_chat([{"role": "user", "content": "hi"}]))
        ((257,), 21)
    """

    def __init__(
        self,
        tokenizer: BPETokenizer,
        *,
        first_tokens: Sequence[int] = (),
        stop_tokens: Sequence[int] = (),
        chat: ChatRenderer | None = None,
    ) -> None:
        self.tokenizer, self.first_tokens, self.chat = tokenizer, list(first_tokens), chat
        self._special = set(tokenizer.special_tokens.values())
        self._knows_chatml = {CHATML.start, CHATML.end} <= set(tokenizer.special_tokens)
        ends = [tokenizer.special_tokens[CHATML.end]] if self._knows_chatml else []
        self.stop_tokens = tuple(dict.fromkeys([*stop_tokens, *ends]))

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text that is to be continued."""
        return self.first_tokens + self.tokenizer.encode(text, allowed_special="all")

    def encode_chat(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a conversation, up to where the assistant begins."""
        if self.chat is None:
            if not self._knows_chatml:
                raise ValueError("this model has no chat template: ask for a completion of your own text instead")
            return CHATML.encode(self.tokenizer, messages, answer=True)[0]
        for message in messages:
            spelt = next((token for token in self.tokenizer.special_tokens if token in message["content"]), None)
            if spelt is not None:
                raise ValueError(f"a message spells the special token {spelt!r}, which only the template may")
        return self.tokenizer.encode(self.chat.render(messages), allowed_special="all")

    def piece(self, token: int, *, first: bool) -> bytes:
        """Return a token's bytes."""
        return b"" if token in self._special else self.tokenizer.decode_bytes([token])


class WordCodec:
    r"""A vocabulary of whole words with blanks between them. Of a conversation the model is given what was said last.

    Args:
        words: By their tokens; token 0 is padding, which nobody may write.
        stop: The word that ends an answer.
        prompt_end: The word that ends a prompt; in a conversation it is added where it lacks.

    Raises:
        ValueError: One of the two is not among the words.

    Example:
        >>> codec = WordCodec(["<pad>", ":", ".", "eggs", "milk"], stop=".", prompt_end=":")
        >>> codec.encode_chat([{"role": "user", "content": "eggs milk"}])
        [3, 4, 1]
    """

    def __init__(self, words: Sequence[str], *, stop: str, prompt_end: str) -> None:
        self.words, self._prompt_end = tuple(words), prompt_end
        self._ids = {word: token for token, word in enumerate(words) if token}
        if stop not in self._ids or prompt_end not in self._ids:
            raise ValueError(f"stop is {stop!r} and prompt_end is {prompt_end!r}: both have to be among the words")
        self.stop_tokens = (self._ids[stop],)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text's words."""
        unknown = next((word for word in text.split() if word not in self._ids), None)
        if unknown is not None:
            raise ValueError(f"there is no word {unknown!r}: this model knows {', '.join(self._ids)}")
        return [self._ids[word] for word in text.split()]

    def encode_chat(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of the last message."""
        said = messages[-1]["content"].split()
        return self.encode(" ".join(said if said[-1:] == [self._prompt_end] else [*said, self._prompt_end]))

    def piece(self, token: int, *, first: bool) -> bytes:
        """Return a word, after a blank unless it is the first."""
        return (b"" if first else b" ") + self.words[token].encode() if token else b""
