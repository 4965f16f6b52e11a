"""A corpus with planted copies, boiler-plate and pages, prepared here, on a cluster, and after being stopped."""

import json
import os
import random
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from llmcourse.pretraining import docstrings, quality_labels, train_quality_classifier
from llmcourse.pretraining.data_pipeline import prepare_corpus
from llmcourse.pretraining.data_sources import find_sources
from llmcourse.pretraining.pipeline_config import PipelineConfig
from llmcourse.pretraining.prepared_corpus import open_corpus
from llmcourse.pretraining.quality_labels import boilerplate_page
from llmcourse.tokenization import BPETokenizer

for package in ("distributed", "trafilatura", "sklearn"):
    pytest.importorskip(package)

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

BYTES = BPETokenizer({byte: bytes([byte]) for byte in range(256)}, [], ["<|endoftext|>"])
SMALL = PipelineConfig(shard_tokens=20_000)
SYLLABLES = ("ka", "lo", "mi", "ren", "tus", "vel", "dor", "pan", "sil", "gro")
WORDS = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
PATTERN = "The {} of a {} {} was {} by the {} in {}, and {} {} have {} with {}."


def article(rng, n=12):
    """Return sentences of made-up words, as prose as the heuristics ask."""
    return " ".join(PATTERN.format(*rng.choices(WORDS, k=PATTERN.count("{}"))) for _ in range(n))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Twelve files, and what is planted in them."""
    folder, rng = tmp_path_factory.mktemp("corpus"), random.Random(0)
    articles = [article(rng) for _ in range(60)]
    copies = articles[:10]
    near = [text.replace(" in ", " near ", 1) for text in articles[10:20]]
    german = [f"Haus{n} Markt{n} Jahr{n} Zimmer{n} Gast{n} Turm{n} viele{n} alte{n} neue{n}" for n in "abc"]
    texts = [*articles, *copies, *near]
    for number in range(8):
        lines = [json.dumps({"text": text}) for text in texts[number::8]]
        (folder / f"{number}.jsonl").write_text("\n".join(lines) + "\n{broken\n")
    page = "<nav><a href='/'>Home</a></nav><article>{}</article><footer>All rights reserved by us</footer>"
    (folder / "page.html").write_text(page.format("".join(f"<p>{article(rng, 6)}</p>" for _ in range(2))))
    (folder / "short.txt").write_text("Too short.")
    (folder / "german.jsonl").write_text("\n".join(json.dumps({"text": words(text)}) for text in german))
    return folder


def words(text):
    """Make a text that breaks no other rule than that of language: all its words differ."""
    return " ".join(f"{word}en{chr(97 + n % 26)}{chr(97 + n // 26)}" for n, word in enumerate(text.split() * 7))


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def stages(manifest):
    return {stage["name"]: stage for stage in manifest["stages"]}


def test_each_stage_drops_what_was_planted_for_it(corpus, tmp_path):
    manifest = prepare_corpus(find_sources([corpus]), tmp_path / "out", config=SMALL, tokenizer=BYTES)
    found = stages(manifest)
    assert list(found) == ["read", "language", "quality", "lines", "exact", "near"]
    assert found["read"] == {"name": "read", "kept": 85, "dropped": {"no line of JSON with a text": 8}}
    assert found["language"] == {"name": "language", "kept": 82, "dropped": {"no English": 3}}
    assert found["quality"] == {"name": "quality", "kept": 81, "dropped": {"words": 1}}
    # The copies are one line each, and so gone with the lines.
    assert found["lines"]["dropped"] == {"documents": 10, "lines": 10}
    assert found["exact"]["dropped"] == {}
    assert found["near"] == {"name": "near", "kept": 61, "dropped": {"near-duplicates": 10}}
    opened = open_corpus(tmp_path / "out")
    documents = [BYTES.decode(shard.document(i).tolist()) for shard in opened.shards for i in range(len(shard.ends))]
    assert len(documents) == len(set(documents)) == 61
    assert all(text.endswith("<|endoftext|>") for text in documents)
    assert not any("rights reserved" in text or "Home" in text for text in documents)
    assert len(opened.shards) > 1
    assert not (tmp_path / "out" / ".work").exists()


def test_stages_can_be_left_out(corpus, tmp_path):
    config = PipelineConfig(heuristics=False, lines=False, near_duplicates=None)
    manifest = prepare_corpus(find_sources([corpus]), tmp_path / "out", config=config, tokenizer=BYTES)
    found = stages(manifest)
    assert list(found) == ["read", "exact"]
    assert found["exact"] == {"name": "exact", "kept": 75, "dropped": {"copies": 10}}


def test_the_classifier_drops_boiler_plate_and_a_tokenizer_is_trained_on_what_is_kept(tmp_path):
    rng = random.Random(1)
    passages = docstrings("numpy", max_bytes=120_000).split("\n\n")
    good = ["\n\n".join(passages[i : i + 8]) for i in range(0, len(passages), 8)][:40]
    bad = [boilerplate_page(rng, held_out=True) for _ in range(40)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in good + bad))
    config = PipelineConfig(heuristics=False, lines=False, near_duplicates=None, quality=0.5, vocab_size=400)
    classifier = train_quality_classifier(*quality_labels(300))
    manifest = prepare_corpus(
        find_sources([tmp_path / "a.jsonl"]), tmp_path / "o", config=config, classifier=classifier
    )
    kept = classifier.score(good + bad) >= 0.5
    assert kept[40:].sum() <= 4 and kept[:40].sum() >= 30
    assert stages(manifest)["classifier"]["kept"] == kept.sum()
    opened = open_corpus(tmp_path / "o")
    assert opened.tokenizer.vocab_size == 400
    first = opened.tokenizer.decode(opened.shards[0].document(0).tolist())
    assert first == good[int(np.flatnonzero(kept)[0])] + "<|endoftext|>"


def test_two_processes_give_the_same_bytes_as_threads_though_one_is_killed_at_work(corpus, tmp_path):
    import distributed

    sources = find_sources([corpus])
    prepare_corpus(sources, tmp_path / "threads", config=SMALL, tokenizer=BYTES)
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    begun = time.monotonic()
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        killed = []
        killer = threading.Thread(target=kill_one_at_work, args=(cluster.scheduler_address, killed))
        killer.start()
        prepare_corpus(
            sources, tmp_path / "cluster", config=SMALL, tokenizer=BYTES, scheduler=cluster.scheduler_address
        )
        killer.join(30)
    assert len(killed) == 1
    assert content(tmp_path / "cluster") == content(tmp_path / "threads")
    assert time.monotonic() - begun < 90


def kill_one_at_work(address, killed):
    import distributed

    with distributed.Client(address, set_as_default=False) as client:
        pids = client.run(os.getpid)
        deadline = time.monotonic() + 30
        while not killed and time.monotonic() < deadline:
            busy = [worker for worker, tasks in client.processing().items() if tasks and worker in pids]
            if busy:
                os.kill(pids[busy[0]], signal.SIGKILL)
                killed.append(busy[0])
            time.sleep(0.002)


def test_a_run_that_was_stopped_goes_on_with_what_is_missing(corpus, tmp_path):
    sources, told = find_sources([corpus]), []
    prepare_corpus(sources, tmp_path / "whole", config=SMALL, tokenizer=BYTES)

    def stop(stage, done, of):
        if (stage, done) == ("read", 5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_corpus(sources, tmp_path / "out", config=SMALL, tokenizer=BYTES, tell=stop)
    with pytest.raises(ValueError, match="holds no prepared corpus, or one that is not finished"):
        open_corpus(tmp_path / "out")
    prepare_corpus(
        sources, tmp_path / "out", config=SMALL, tokenizer=BYTES, tell=lambda *arguments: told.append(arguments)
    )
    assert told[0] == ("read", 5, len(sources))
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    told.clear()
    again = prepare_corpus(
        sources, tmp_path / "out", config=SMALL, tokenizer=BYTES, tell=lambda *arguments: told.append(arguments)
    )
    assert told == []
    assert again == open_corpus(tmp_path / "out").manifest


def test_a_file_that_has_changed_is_read_again(corpus, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(article(random.Random(5)))

    def stop(stage, done, of):
        if stage == "lines":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_corpus([path], tmp_path / "out", config=SMALL, tokenizer=BYTES, tell=stop)
    path.write_text(article(random.Random(6)) + " Changed.")
    prepare_corpus([path], tmp_path / "out", config=SMALL, tokenizer=BYTES)
    opened = open_corpus(tmp_path / "out")
    assert "Changed." in BYTES.decode(opened.tokens.tolist())


def test_another_corpus_in_the_folder_is_refused_with_what_differs(corpus, tmp_path):
    sources = find_sources([corpus])
    prepare_corpus(sources, tmp_path / "out", config=SMALL, tokenizer=BYTES)
    before = content(tmp_path / "out")
    other = BPETokenizer({byte: bytes([byte]) for byte in range(256)}, [])
    for changes, name in (
        ({"tokenizer": other}, "another tokenizer"),
        ({"config": PipelineConfig(lines=False)}, "other settings"),
    ):
        with pytest.raises(ValueError, match=f"was made with {name}: give the same, or another folder"):
            prepare_corpus(sources, tmp_path / "out", **{"config": SMALL, "tokenizer": BYTES} | changes)
    with pytest.raises(ValueError, match="was made with other files"):
        prepare_corpus(sources[1:], tmp_path / "out", config=SMALL, tokenizer=BYTES)
    assert content(tmp_path / "out") == before


def test_a_folder_of_something_else_is_left_alone(corpus, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="holds something else than a prepared corpus"):
        prepare_corpus(find_sources([corpus]), tmp_path, config=SMALL, tokenizer=BYTES)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_nothing_left_says_which_stage_dropped_it(tmp_path):
    (tmp_path / "a.txt").write_text("Too short.")
    with pytest.raises(ValueError, match=r"nothing is left of 1 files: quality dropped 1 \(words\): give others"):
        prepare_corpus([tmp_path / "a.txt"], tmp_path / "out", config=SMALL, tokenizer=BYTES)


def test_a_page_cannot_end_itself(tmp_path):
    text = article(random.Random(7)) + " <|endoftext|> and on."
    (tmp_path / "a.txt").write_text(text)
    prepare_corpus([tmp_path / "a.txt"], tmp_path / "out", config=SMALL, tokenizer=BYTES)
    tokens = open_corpus(tmp_path / "out").tokens.tolist()
    assert tokens.count(BYTES.special_tokens["<|endoftext|>"]) == 1
    assert BYTES.decode(tokens[:-1]) == text


def test_a_classifier_is_given_if_and_only_if_it_is_asked(tmp_path):
    with pytest.raises(ValueError, match=r"quality is 0\.5 and the classifier None: give both, or neither"):
        prepare_corpus([Path("x")], tmp_path / "out", config=PipelineConfig(quality=0.5))
