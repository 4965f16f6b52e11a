import pytest

from llmcourse.tokenization.special import SpecialTokens, find_special

SPECIAL = SpecialTokens({"<|end|>": 300, "<|end|>!": 301, "<|pad|>": 302})


def test_longest_match_first():
    assert list(SPECIAL.split("<|end|>!<|end|>", "all")) == [("<|end|>!", 301), ("<|end|>", 300)]
    assert [token for _, token in find_special("aaaa", ["a", "aaa"])] == ["aaa", "a"]


def test_allowing_the_shorter_alone_takes_the_shorter():
    assert list(SPECIAL.split("<|end|>!", {"<|end|>"}, ())) == [("<|end|>", 300), ("!", None)]


def test_allowing_the_longer_alone_does_not_refuse_it_for_the_shorter_within():
    assert list(SPECIAL.split("<|end|>!", {"<|end|>!"})) == [("<|end|>!", 301)]


@pytest.mark.parametrize("allowed", [(), {"<|pad|>"}])
def test_a_special_token_in_plain_text_is_refused_and_quoted(allowed):
    with pytest.raises(ValueError, match=r"'<\|end\|>'"):
        list(SPECIAL.split("a<|end|>", allowed))


def test_plain_text_on_request():
    assert list(SPECIAL.split("a<|end|>", (), ())) == [("a<|end|>", None)]
    assert list(SPECIAL.split("<|end|><|pad|>", (), {"<|pad|>!"} - {"<|pad|>!"})) == [("<|end|><|pad|>", None)]
    with pytest.raises(ValueError, match="pad"):
        list(SPECIAL.split("<|end|><|pad|>", (), {"<|pad|>"}))


def test_what_is_disallowed_by_name_is_refused_even_if_allowed():
    with pytest.raises(ValueError, match="end"):
        list(SPECIAL.split("<|end|>", "all", {"<|end|>"}))


@pytest.mark.parametrize("argument", ["<|end|>", {"<|unknown|>"}, ["<|end|>", "<|unknown|>"]])
def test_unknown_special_tokens_and_a_bare_str_are_refused(argument):
    with pytest.raises(ValueError, match="special"):
        list(SPECIAL.split("a", argument))
    with pytest.raises(ValueError, match="special"):
        list(SPECIAL.split("a", (), argument))


def test_many_special_tokens_and_signs_of_regular_expressions():
    tokens = [f"[{i}]" for i in range(100)] + [".*", "(", "\\"]
    special = SpecialTokens({token: i for i, token in enumerate(tokens)})
    assert list(special.split("[7]x.*(\\", "all")) == [("[7]", 7), ("x", None), (".*", 100), ("(", 101), ("\\", 102)]


def test_no_empty_parts():
    assert list(SPECIAL.split("")) == []
    assert list(SpecialTokens({}).split("a")) == [("a", None)]
