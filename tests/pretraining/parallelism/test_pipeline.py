import pytest

from llmcourse.pretraining.parallelism import bubble_fraction


def test_one_stage_never_idles_and_more_micro_batches_idle_less():
    assert bubble_fraction(1, 5) == 0
    shares = [bubble_fraction(4, m) for m in (1, 2, 4, 8, 1000)]
    assert shares[0] == 0.75
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0)])
def test_numbers_out_of_range_are_quoted(sizes):
    with pytest.raises(ValueError, match=f"n_stages is {sizes[0]} and n_microbatches {sizes[1]}"):
        bubble_fraction(*sizes)
