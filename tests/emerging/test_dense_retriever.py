import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.emerging import BiEncoder, BiEncoderConfig, info_nce, inverse_cloze_pairs, train_bi_encoder


@given(seed=st.integers(0, 1000), size=st.integers(2, 9), temperature=st.floats(0.05, 2))
def test_info_nce_as_written_out(seed, size, temperature):
    generator = torch.Generator().manual_seed(seed)
    q, p = torch.randn(2, size, 5, generator=generator, dtype=torch.float64)
    terms = [
        -math.log(
            math.exp(float(q[i] @ p[i]) / temperature)
            / sum(math.exp(float(q[i] @ p[j]) / temperature) for j in range(size))
        )
        for i in range(size)
        if float((q[i] @ p.T).abs().max()) / temperature < 300
    ]
    if len(terms) == size:
        assert float(info_nce(q, p, temperature)) == pytest.approx(sum(terms) / size, rel=1e-6, abs=1e-9)


def test_info_nce_is_ln_b_less_at_most_the_mutual_information():
    """Where each query determines its passage among B kinds, that is ln B, and the bound is nearly reached."""
    assert float(info_nce(torch.eye(8), torch.eye(8), 0.01)) == pytest.approx(0, abs=1e-6)
    assert float(info_nce(torch.ones(8, 3), torch.ones(8, 3), 0.01)) == pytest.approx(math.log(8))


def test_vectors_have_length_one_and_are_means_of_rows():
    encoder = BiEncoder(BiEncoderConfig(buckets=50, dim=8))
    texts = ["keys", "", "a long text of words"]
    found = encoder(texts)
    for text, vector in zip(texts, found, strict=True):
        mean = encoder.table.weight[encoder.features(text)].mean(0)
        torch.testing.assert_close(vector, mean / mean.norm())


def test_features_do_not_depend_on_the_process():
    encoder = BiEncoder(BiEncoderConfig(buckets=1000, shortest=3, longest=3))
    # crc32 of "<ab>", "<ab" and "ab>", as any implementation of it gives
    import zlib

    assert encoder.features("ab") == [zlib.crc32(piece) % 1000 for piece in (b"<ab>", b"<ab", b"ab>")]


def test_pairs():
    assert inverse_cloze_pairs(["It costs 1.5 GB. Why? So."]) == [
        ("It costs 1.5 GB.", "Why? So."),
        ("Why?", "It costs 1.5 GB. So."),
        ("So.", "It costs 1.5 GB. Why?"),
    ]


def test_training_brings_unlike_words_together_on_pairs_that_it_saw():
    torch.manual_seed(0)
    encoder = BiEncoder()
    pairs = [("dear", "price"), ("quick", "speed"), ("huge", "scale"), ("tiny", "milli")]
    train_bi_encoder(encoder, pairs, steps=30)
    cosines = encoder([a for a, _ in pairs]) @ encoder([b for _, b in pairs]).T
    assert cosines.argmax(1).tolist() == [0, 1, 2, 3]


def test_refuses():
    with pytest.raises(ValueError, match=r"queries are \(2, 3\), passages \(3, 3\)"):
        info_nce(torch.ones(2, 3), torch.ones(3, 3))
    with pytest.raises(ValueError, match="temperature is 0"):
        info_nce(torch.ones(2, 3), torch.ones(2, 3), 0)
    with pytest.raises(ValueError, match="there are 1 pairs"):
        train_bi_encoder(BiEncoder(), [("a", "b")])
    with pytest.raises(ValueError, match="longest"):
        BiEncoderConfig(shortest=4, longest=3)
