import pytest
import torch

from llmcourse.architecture import generate, load_huggingface


def test_greedy_as_transformers_token_for_token(huggingface):
    prompt = torch.randint(1, 97, (2, 6), generator=torch.Generator().manual_seed(3))
    theirs = huggingface.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=12, do_sample=False, pad_token_id=0
    )
    assert torch.equal(generate(load_huggingface(huggingface), prompt, 12, temperature=0.0), theirs)


def test_stop_tokens_as_transformers(make_huggingface):
    theirs = make_huggingface("llama3")
    prompt = torch.randint(1, 97, (3, 4), generator=torch.Generator().manual_seed(0))
    free = generate(load_huggingface(theirs), prompt, 10, temperature=0.0)
    stop = free[0, 6].item()
    ours = generate(load_huggingface(theirs), prompt, 10, temperature=0.0, stop_tokens=[stop])
    expected = theirs.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=10,
        do_sample=False,
        eos_token_id=stop,
        pad_token_id=stop,
    )
    assert torch.equal(ours, expected)
    alone = generate(load_huggingface(theirs), prompt[:1], 10, temperature=0.0, stop_tokens=[stop])
    assert alone[0, -1] == stop and alone.shape[1] <= 7


def test_a_cache_changes_nothing_and_is_reset_between_generations(model, cache):
    prompt = torch.randint(61, (2, 5))
    plain = generate(model, prompt, 10, temperature=0.0)
    assert torch.equal(generate(model, prompt, 10, temperature=0.0, cache=cache), plain)
    other = generate(model, prompt.flip(0), 10, temperature=0.0, cache=cache)
    assert torch.equal(other, plain.flip(0)) and cache.n_tokens == 14


def test_each_step_reads_one_token_when_there_is_a_cache(model, cache):
    lengths = []
    model.embedding.register_forward_hook(lambda module, inputs, output: lengths.append(inputs[0].shape[1]))
    generate(model, torch.randint(61, (1, 5)), 4, cache=cache)
    assert lengths == [5, 1, 1, 1]


def test_a_seed_repeats_and_another_does_not(model):
    prompt = torch.randint(61, (2, 3))
    runs = [generate(model, prompt, 12, seed=seed) for seed in (1, 1, 2)]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])
    state = torch.get_rng_state()
    generate(model, prompt, 2, seed=3)
    assert torch.equal(torch.get_rng_state(), state)


def test_any_callable_that_gives_logits_will_do():
    def count(tokens):
        return torch.nn.functional.one_hot((tokens + 1) % 9, 9).float()

    assert generate(count, torch.tensor([[3]]), 3, temperature=0.0).tolist() == [[3, 4, 5, 6]]
    assert generate(count, torch.tensor([[3]]), 0).tolist() == [[3]]


def test_its_tokens_can_be_trained_on(model):
    tokens = generate(model, torch.randint(61, (1, 3)), 3)
    model.loss(tokens[:, :-1], tokens[:, 1:]).backward()
    assert model.embedding.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("tokens", "n", "options", "message"),
    [
        (torch.zeros(3, dtype=torch.long), 1, {}, r"tokens have shape \(3,\)"),
        (torch.zeros(1, 0, dtype=torch.long), 1, {}, r"tokens have shape \(1, 0\)"),
        (torch.zeros(1, 1, dtype=torch.long), -1, {}, "max_new_tokens is -1"),
        (torch.zeros(1, 1, dtype=torch.long), 1, {"top_p": 2.0}, "top_p is 2.0"),
    ],
)
def test_refusals(model, tokens, n, options, message):
    with pytest.raises(ValueError, match=message):
        generate(model, tokens, n, **options)
