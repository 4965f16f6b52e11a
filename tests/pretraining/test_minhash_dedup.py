"""Against the exact similarity of all pairs, and against datasketch."""

import itertools
import random

import pytest

from llmcourse.pretraining import band_probability, jaccard, minhash_dedup, shingles_of
from llmcourse.pretraining.minhash_dedup import choose_bands


def corpus(n=150, seed=0):
    """Return texts of which some are others with words changed: similarities of all sizes."""
    rng = random.Random(seed)
    words = [f"word{n}" for n in range(3000)]
    texts = [[rng.choice(words) for _ in range(rng.randint(60, 200))] for _ in range(n)]
    for _ in range(n // 3):
        source = list(texts[rng.randrange(n)])
        for _ in range(rng.randint(0, 4)):
            source[rng.randrange(len(source))] = rng.choice(words)
        texts.append(source)
    rng.shuffle(texts)
    return [" ".join(text) for text in texts]


def alike(texts, threshold):
    sets = [shingles_of(text) for text in texts]
    return {
        pair for pair in itertools.combinations(range(len(texts)), 2) if jaccard(*(sets[i] for i in pair)) >= threshold
    }


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_clusters_are_those_of_all_pairs(threshold):
    texts = corpus()
    pairs = alike(texts, threshold)
    assert len(pairs) > 20
    found = minhash_dedup(texts, threshold=threshold)
    together = {pair for cluster in found.clusters for pair in itertools.combinations(cluster, 2)}
    missed = pairs - together
    assert len(missed) <= 0.02 * len(pairs)
    # What is together without being alike is so through others.
    for cluster in found.clusters:
        for index in cluster:
            assert any(tuple(sorted((index, other))) in pairs for other in cluster if other != index)
    assert found.kept == [i for i in range(len(texts)) if not any(i in cluster[1:] for cluster in found.clusters)]


def test_recall_is_that_of_datasketch():
    datasketch = pytest.importorskip("datasketch")
    texts = corpus(n=100, seed=1)
    pairs = alike(texts, 0.8)
    bands, rows = choose_bands(0.8, n_hashes=128)
    index = datasketch.MinHashLSH(num_perm=128, params=(bands, rows))
    signatures = []
    for number, text in enumerate(texts):
        signature = datasketch.MinHash(num_perm=128, seed=1)
        signature.update_batch([str(shingle).encode() for shingle in shingles_of(text)])
        index.insert(number, signature)
        signatures.append(signature)
    theirs = {pair for pair in pairs if pair[1] in index.query(signatures[pair[0]])}
    found = minhash_dedup(texts, threshold=0.8)
    ours = {pair for pair in pairs if any(pair[0] in c and pair[1] in c for c in found.clusters)}
    assert len(ours) >= len(theirs) - 1


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9])
def test_bands_miss_few_at_the_threshold_and_use_as_many_rows_as_they_may(threshold):
    bands, rows = choose_bands(threshold, n_hashes=128)
    assert bands * rows <= 128
    assert band_probability(threshold, n_bands=bands, rows_per_band=rows) >= 0.99
    more = rows + 1
    assert band_probability(threshold, n_bands=128 // more, rows_per_band=more) < 0.99


def test_many_copies_are_one_cluster_at_once():
    text = corpus(n=1)[0]
    found = minhash_dedup([text] * 3000 + ["other words that stand here alone today"])
    assert found.kept == [0, 3000]
    assert len(found.clusters[0]) == 3000


def test_it_is_the_same_at_every_run_and_nothing_is_like_nothing():
    texts = corpus(n=40)
    assert minhash_dedup(texts, seed=3) == minhash_dedup(texts, seed=3)
    assert minhash_dedup(["", " ", ""]).clusters == []
    assert minhash_dedup([]).kept == []


def test_bad_numbers_are_quoted():
    with pytest.raises(ValueError, match="threshold is 0"):
        minhash_dedup([], threshold=0)
    with pytest.raises(ValueError, match=r"threshold is 1\.5"):
        minhash_dedup([], threshold=1.5)
    with pytest.raises(ValueError, match="n_hashes is 0"):
        minhash_dedup([], n_hashes=0)
