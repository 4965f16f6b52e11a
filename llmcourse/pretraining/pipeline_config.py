"""The settings of the data pipeline: which stages there are, and how strict each is."""

from dataclasses import KW_ONLY, dataclass

__all__ = ["PipelineConfig"]


@dataclass(frozen=True)
class PipelineConfig:
    """What is done with the documents; stages can be left out.

    Attributes:
        heuristics: Drop what Gopher's and C4's rules drop, other languages than English among it.
        lines: Drop lines that stood in the corpus before.
        near_duplicates: From which Jaccard similarity on two documents are one; None keeps all but exact copies.
        quality: The least score of the classifier; None asks none.
        vocab_size: Of the tokenizer that is trained on what is kept, where none is given.
        tokenizer_bytes: On so many of its first bytes.
        shard_tokens: Tokens after which a shard is closed.

    Raises:
        ValueError: A number is out of range; quotes it.
    """

    _: KW_ONLY
    heuristics: bool = True
    lines: bool = True
    near_duplicates: float | None = 0.8
    quality: float | None = None
    vocab_size: int = 4096
    tokenizer_bytes: int = 10_000_000
    shard_tokens: int = 50_000_000

    def __post_init__(self) -> None:
        for name in ("near_duplicates", "quality"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1:
                raise ValueError(f"{name} is {value}: it is above 0 and at most 1, or None to leave the stage out")
        if self.vocab_size < 257 or min(self.tokenizer_bytes, self.shard_tokens) < 1:
            raise ValueError(
                f"vocab_size is {self.vocab_size}, tokenizer_bytes {self.tokenizer_bytes} and shard_tokens "
                f"{self.shard_tokens}: they are at least 257, 1 and 1"
            )
