"""What tests of alignment share: a small model on which a mistake shows, and pairs of answers."""

import torch

from llmcourse.alignment import AnswerPairs, join_answers
from llmcourse.architecture import ModelConfig, Transformer

VOCAB_SIZE = 23


def small_model(seed: int = 0, **options) -> Transformer:
    sizes = {"vocab_size": VOCAB_SIZE, "d_model": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "max_seq_len": 32}
    torch.manual_seed(seed)
    return Transformer(ModelConfig(**sizes | {"init_std": 0.2} | options))


def random_pairs(seed: int = 0, n: int = 3, prompt: int = 5, answer: int = 4) -> AnswerPairs:
    generator = torch.Generator().manual_seed(seed)

    def texts(longest: int) -> list[list[int]]:
        lengths = torch.randint(1, longest + 1, (n,), generator=generator).tolist()
        return [torch.randint(VOCAB_SIZE, (length,), generator=generator).tolist() for length in lengths]

    prompts = texts(prompt)
    return AnswerPairs(join_answers(prompts, texts(answer)), join_answers(prompts, texts(answer)))
