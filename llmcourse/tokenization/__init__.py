"""Chapter 1: text to ids and back. No torch in here."""

from llmcourse.tokenization import patterns, steps
from llmcourse.tokenization.bpe import BPETokenizer
from llmcourse.tokenization.bpe_training import train_bpe
from llmcourse.tokenization.chat_template import CHATML, ChatTemplate
from llmcourse.tokenization.fingerprint import fingerprint
from llmcourse.tokenization.patterns import PATTERNS
from llmcourse.tokenization.unigram import UnigramTokenizer

__all__ = [
    "CHATML",
    "PATTERNS",
    "BPETokenizer",
    "ChatTemplate",
    "UnigramTokenizer",
    "fingerprint",
    "patterns",
    "steps",
    "train_bpe",
]
