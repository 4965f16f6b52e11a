"""Speculative decoding writes what plain decoding writes: token for token if greedy, else in distribution."""

import itertools
import re

import pytest
import torch
from scipy.stats import chisquare

from llmcourse.architecture import ModelConfig, Transformer, generate
from llmcourse.inference import KVCache, PromptLookup, Sampling, speculative_decode


def small(seed: int, *, vocab_size: int = 23, **options: object) -> Transformer:
    torch.manual_seed(seed)
    sizes = {"d_model": 32, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "init_std": 0.3} | options
    return Transformer(ModelConfig(vocab_size=vocab_size, **sizes)).eval()  # type: ignore[arg-type]


MODEL, SMALLER = small(0), small(1, n_layers=1)
PROMPT = torch.tensor([[1, 2, 3, 1, 2]])


@pytest.mark.parametrize("options", [{}, {"window": 8}])
@pytest.mark.parametrize("draft_length", [1, 4, 7])
def test_greedy_text_is_that_of_plain_decoding(draft_length: int, options: dict[str, object]) -> None:
    model = small(0, **options)
    plain = generate(model, PROMPT, 40, temperature=0.0, cache=KVCache.of(model, max_seq_len=64))
    for draft in (SMALLER, model, PromptLookup(23)):
        found = speculative_decode(model, PROMPT, 40, draft=draft, draft_length=draft_length, temperature=0.0)
        assert torch.equal(found.tokens, plain)
        assert found.n_accepted <= found.n_drafted


def test_its_own_draft_is_taken_whole() -> None:
    found = speculative_decode(MODEL, PROMPT, 20, draft=MODEL, draft_length=4, seed=0)
    assert found.n_rounds == 4
    assert found.n_accepted == found.n_drafted == 16


def joint(model: Transformer, prompt: torch.Tensor, n: int, sampling: Sampling) -> dict[tuple[int, ...], float]:
    """Return the probability of each continuation, by enumeration."""
    found = {(): 1.0}
    for _ in range(n):
        texts = [torch.cat([prompt[0], torch.tensor(text, dtype=torch.long)]) for text in found]
        with torch.no_grad():
            rows = sampling.distribution(model(torch.stack(texts))[:, -1])
        found = {
            (*text, token): chance * row[token].item()
            for (text, chance), row in zip(found.items(), rows, strict=True)
            for token in range(len(row))
            if row[token] > 0
        }
    return found


@pytest.mark.parametrize(
    "sampling", [Sampling(), Sampling(temperature=0.7, top_p=0.8), Sampling(top_k=3)], ids=["plain", "top_p", "top_k"]
)
def test_sampled_text_has_the_targets_distribution(sampling: Sampling) -> None:
    model, draft = small(2, vocab_size=4), small(3, vocab_size=4, n_layers=1)
    prompt, n = torch.tensor([[1, 2]]), 600
    expected = joint(model, prompt, 3, sampling)
    counts = dict.fromkeys(itertools.product(range(4), repeat=3), 0)
    for seed in range(n):
        found = speculative_decode(model, prompt, 3, draft=draft, draft_length=2, seed=seed, **sampling._asdict())
        counts[tuple(found.tokens[0, 2:].tolist())] += 1
    assert all(text in expected for text, count in counts.items() if count)
    # Rare texts together, as the test wants at least five in each class.
    often = [text for text, chance in expected.items() if chance * n >= 5]
    observed = [counts[text] for text in often]
    wanted = [expected[text] * n for text in often]
    observed.append(n - sum(observed))
    wanted.append(n - sum(wanted))
    if wanted[-1] < 1:
        observed, wanted = observed[:-1], wanted[:-1]
        wanted = [x * sum(observed) / sum(wanted) for x in wanted]
    assert chisquare(observed, wanted).pvalue > 1e-3


def test_it_ends_with_the_first_stop_token() -> None:
    plain = generate(MODEL, PROMPT, 30, temperature=0.0)[0].tolist()
    stop = plain[9]
    end = plain.index(stop, 5) + 1
    for draft in (MODEL, SMALLER, PromptLookup(23)):
        found = speculative_decode(MODEL, PROMPT, 30, draft=draft, temperature=0.0, stop_tokens=[stop])
        assert found.tokens[0].tolist() == plain[:end]


def test_a_seed_repeats_and_another_does_not() -> None:
    texts = [speculative_decode(MODEL, PROMPT, 20, draft=SMALLER, seed=seed).tokens.tolist() for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


def test_prompt_lookup_prefers_long_and_late() -> None:
    def propose(text: list[int], n: int = 2) -> list[int]:
        return PromptLookup(10, ngram_size=2).propose(text, n, generator=torch.Generator())[0].tolist()

    assert propose([1, 2, 7, 3, 2, 8, 1, 2]) == [7, 3]  # two tokens agree there, one later on
    assert propose([1, 2, 7, 1, 2, 9, 1, 2]) == [9, 1]
    assert propose([1, 2, 3]) == []
    assert propose([5, 5], 4) == [5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": torch.ones(2, 3, dtype=torch.long)}, "tokens have shape (2, 3): give one row"),
        ({"draft_length": 0}, "draft_length 0: give 1 or more"),
        ({"draft": small(0, vocab_size=7)}, "the draft has 7 tokens and the model 23"),
    ],
)
def test_bad_input_is_refused(change: dict[str, object], message: str) -> None:
    given = {"tokens": PROMPT, "max_new_tokens": 4, "draft": SMALLER} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        speculative_decode(MODEL, **given)  # type: ignore[arg-type]
