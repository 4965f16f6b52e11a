r"""What cleaning a corpus is worth: one model and one number of tokens, from a crawl and from what is left of it.

The crawl is made here, so that its parts are known: a quarter is torch's docstrings, each passage once; one half is
copies of few of them, every other one with a word changed; a quarter is boiler-plate and words without grammar. Each
variant takes another road from the crawl to the tokens, with the functions that ``llmcourse prepare`` calls; then
all train on equally many tokens, in random order, and are measured on passages that are in none, all of them clean. A
corpus with fewer tokens than that is read more than once. The classifier and the tokenizer learned from numpy's
docstrings, which are in no corpus here.

What the table shows: without the copies, the larger evil here, the model is better; a filter alone makes it worse,
since what it takes away leaves the copies a larger share. Only both together come near to the clean text.
"""

import hashlib
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import docstrings, evaluate, minhash_dedup, one_epoch, quality_labels, train
from llmcourse.pretraining.quality_classifier import train_quality_classifier
from llmcourse.pretraining.quality_labels import boilerplate_page, word_salad
from llmcourse.sweeps.sweep import Settings, Sweep
from llmcourse.tokenization import BPETokenizer, train_bpe

__all__ = ["DATA_QUALITY", "VARIANTS"]

VARIANTS = ("raw", "deduplicated", "filtered", "both", "clean")
"""The crawl as it is; without (near-)duplicates; without what the classifier drops; without either; its clean part."""

_CONSTANTS = {
    "text": "docstrings of torch",
    "text_bytes": 1_500_000,
    "passage_words": 100,
    "held_out": 5,  # every fifth passage
    "copied": 40,  # passages
    "copies": 2.0,  # characters of copies for each of clean text, and of junk
    "junk": 1.0,
    "near_duplicates": 0.8,
    "quality": 0.8,
    "vocab_size": 512,
    "model": {"d_model": 64, "n_layers": 2, "n_heads": 4, "tie_embeddings": True, "init_std": 0.05},
    "seq_len": 64,
    "max_lr": 6e-3,
    "warmup_steps": 30,
    "version": 1,
}


def run(settings: Settings, device: str) -> dict[str, Any]:
    r"""Train one model on one variant.

    Args:
        settings: ``variant``, ``seed`` of the weights and of the documents' order, ``steps`` and ``batch_size``.
        device: Where.

    Returns:
        ``loss`` on held-out clean text, in nats a token; of the variant's corpus the ``documents``, their
        ``corpus_tokens``, and which share of these is clean text that comes for the first time, ``clean_share``;
        ``epochs``, how often the corpus was read; and ``digest``, of its tokens.
    """
    documents = _corpora()[settings["variant"]]
    clean, held_out = _passages()
    ids = [_encoded(document) for document in documents]
    seq_len, batch_size = _CONSTANTS["seq_len"], settings["batch_size"]
    tokens = _in_random_order(ids, settings["steps"] * batch_size * seq_len + 1, seed=settings["seed"])
    torch.manual_seed(settings["seed"])
    sizes = {"vocab_size": _CONSTANTS["vocab_size"], "max_seq_len": seq_len}
    model = Transformer(ModelConfig(**_CONSTANTS["model"] | sizes)).to(device)
    train(
        model,
        one_epoch(tokens, batch_size, seq_len, device=device, generator=torch.Generator().manual_seed(0)),
        total_steps=settings["steps"],
        max_lr=_CONSTANTS["max_lr"],
        min_lr=_CONSTANTS["max_lr"] / 10,
        warmup_steps=min(_CONSTANTS["warmup_steps"], settings["steps"]),
    )
    measured = torch.from_numpy(np.concatenate([_encoded(passage) for passage in held_out])).long()
    in_order = one_epoch(measured, 64, seq_len, device=device, generator=torch.Generator().manual_seed(0))
    n_tokens, first = sum(map(len, ids)), set(clean) & set(documents)
    return {
        "loss": evaluate(model, in_order),
        "documents": len(documents),
        "corpus_tokens": n_tokens,
        "clean_share": round(sum(len(_encoded(document)) for document in sorted(first)) / n_tokens, 4),
        "epochs": round((len(tokens) - 1) / n_tokens, 4),
        "digest": hashlib.sha256(np.concatenate(ids).tobytes()).hexdigest()[:16],
    }


@cache
def _corpora() -> dict[str, list[str]]:
    """Return the documents of each variant, by the package's own ways of cleaning."""
    clean, _ = _passages()
    crawl = _crawl(clean)
    once = _deduplicated(crawl)
    return {
        "raw": crawl,
        "deduplicated": once,
        "filtered": _filtered(crawl),
        "both": _filtered(once),
        "clean": list(clean),
    }


def _crawl(clean: Sequence[str]) -> list[str]:
    rng = random.Random(0)
    size = sum(map(len, clean))
    few = rng.sample(clean, _CONSTANTS["copied"])
    words = " ".join(clean).split()
    copies: list[str] = []
    junk: list[str] = []
    while sum(map(len, copies)) < _CONSTANTS["copies"] * size:
        copies += [text if number % 2 else _changed(rng, text) for number, text in enumerate(few)]
    while sum(map(len, junk)) < _CONSTANTS["junk"] * size:
        junk += [boilerplate_page(rng, held_out=True), word_salad(rng, words)]
    crawl = [*clean, *copies, *junk]
    rng.shuffle(crawl)
    return crawl


def _changed(rng: random.Random, text: str) -> str:
    words = text.split(" ")
    words[rng.randrange(len(words))] = f"page{rng.randrange(1000)}"
    return " ".join(words)


def _deduplicated(documents: Sequence[str]) -> list[str]:
    found = minhash_dedup(documents, threshold=_CONSTANTS["near_duplicates"])
    return [documents[index] for index in found.kept]


def _filtered(documents: Sequence[str]) -> list[str]:
    scores = train_quality_classifier(*quality_labels()).score(documents)
    return [document for document, score in zip(documents, scores, strict=True) if score >= _CONSTANTS["quality"]]


@cache
def _passages() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return clean passages, no two of which are alike: those of the crawl, and those held out."""
    passages: list[str] = []
    taken: list[str] = []
    for paragraph in docstrings("torch", max_bytes=_CONSTANTS["text_bytes"]).split("\n\n"):
        taken.append(paragraph)
        if sum(len(part.split()) for part in taken) >= _CONSTANTS["passage_words"]:
            passages.append("\n\n".join(taken))
            taken = []
    # Stricter than what is measured: no variant may have seen nearly what it is measured on.
    passages = [passages[index] for index in minhash_dedup(passages, threshold=0.4).kept]
    every = _CONSTANTS["held_out"]
    held_out = passages[every - 1 :: every]
    return tuple(text for text in passages if text not in set(held_out)), tuple(held_out)


@cache
def _tokenizer() -> BPETokenizer:
    return train_bpe(docstrings("numpy", max_bytes=500_000), _CONSTANTS["vocab_size"])


@cache
def _encoded(document: str) -> np.ndarray:
    return _tokenizer().encode_to_numpy(document + "\n\n")


def _in_random_order(ids: Sequence[np.ndarray], n_tokens: int, *, seed: int) -> Tensor:
    """Return so many tokens: all documents in random order, and once more in another, until it is enough."""
    generator = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < n_tokens:
        parts += [ids[int(index)] for index in generator.permutation(len(ids))]
    return torch.from_numpy(np.concatenate(parts)[:n_tokens]).long()


def _grid(steps: int, batch_size: int, seeds: int) -> list[Settings]:
    sizes = {"steps": steps, "batch_size": batch_size}
    return [{"variant": variant, "seed": seed} | sizes for variant in VARIANTS for seed in range(seeds)]


DATA_QUALITY = Sweep(
    name="data_quality",
    sizes={"quick": _grid(2, 2, 1)[-2:], "cpu": _grid(480, 16, 4), "gpu": _grid(480, 16, 10)},
    run=run,
    constants=_CONSTANTS,
)
