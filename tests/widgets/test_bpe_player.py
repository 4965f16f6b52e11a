"""The BPE player computes in JavaScript what the package computes in Python, on random input."""

import random

import pytest
import regex

from llmcourse.pretraining import documentation, human_rights
from llmcourse.tokenization import steps
from llmcourse.widgets import BPEPlayer, bpe_player

ALPHABETS = [
    "ab",
    "lower west ",
    "aé東😀 \n",
    "it's 'll 12 34,.! \t\u00a0\u3000",
    "नमस्ते สวัสดี مرحبا ",
    "\x00\x7f\x85\ufeff\u200b a1",
]

HARNESS = """
const tasks = {
  encode: ({ text, pairs, limit }) => {
    const table = lib.buildTable(pairs);
    const words = lib.pretokenize(text);
    return {
      words,
      ids: words.map((word) => lib.encodeWord(word, table, limit)),
      bytes: words.map((word) => lib.encodeWord(word, table, limit).map((id) => table.bytes[id])),
      counts: lib.tokenCounts(words, table, pairs.length),
    };
  },
  describe: (bytes) => lib.describeBytes(bytes),
  classes: () => {
    const kinds = [/\\p{L}/u, /\\p{N}/u, /\\p{White_Space}/u, /\\p{Cn}/u];
    const of = (point) => kinds.findIndex((kind) => kind.test(String.fromCodePoint(point)));
    return Array.from({ length: 0x110000 }, (_, point) => "LNs-o".at(of(point))).join("");
  },
};
process.stdout.write(JSON.stringify(cases.inputs.map(tasks[cases.task])));
"""


@pytest.fixture(scope="module")
def javascript(run_javascript):
    """Return a function that runs one of the harness's tasks on many cases in one process of node."""
    return lambda task, inputs: run_javascript(bpe_player, HARNESS, {"task": task, "inputs": inputs})


def random_text(rng, alphabet, length):
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(length)))


def random_merges(rng, alphabet, count):
    """Any merges whose parts exist, in no order that training would give: some make the same bytes twice."""
    tokens = [bytes([byte]) for byte in alphabet.encode()]
    merges = []
    for _ in range(count):
        merges.append((rng.choice(tokens), rng.choice(tokens)))
        tokens.append(b"".join(merges[-1]))
    return list(dict.fromkeys(merges))


def random_case(seed):
    rng = random.Random(seed)
    alphabet = rng.choice(ALPHABETS)
    if rng.random() < 0.6:
        merges = steps.learn_merges(random_text(rng, alphabet, 400), 256 + rng.randrange(40))
    else:
        merges = random_merges(rng, alphabet, 20)
    return merges, random_text(rng, alphabet, 120), rng.randint(0, len(merges))


def test_javascript_equals_python_on_random_merges_and_texts(javascript):
    cases = [random_case(seed) for seed in range(250)]
    players = [BPEPlayer(merges, text=text, n_merges=limit) for merges, text, limit in cases]
    results = javascript("encode", [{"text": p.text, "pairs": p.pairs, "limit": p.n_merges} for p in players])
    assert sum(len(player.tokens) < len(player.text.encode()) for player in players) > 100  # the cases do merge
    for player, result in zip(players, results, strict=True):
        assert result["words"] == regex.findall(steps.GPT2_PATTERN, player.text)
        assert [bytes(token) for word in result["bytes"] for token in word] == player.tokens
        words = [word.encode() for word in result["words"]]
        assert result["ids"] == [steps.encode_word(word, player.merges[: player.n_merges]) for word in words]
        for n in range(0, len(player.merges) + 1, 4):
            player.n_merges = n
            assert result["counts"][n] == len(player.tokens)


def test_javascript_equals_python_on_real_text_in_many_scripts(javascript):
    merges = steps.learn_merges(documentation()[:20_000], 256 + 150)
    players = [BPEPlayer(merges, text=text) for text in human_rights().values()]
    assert len(players) > 20
    results = javascript("encode", [{"text": p.text, "pairs": p.pairs, "limit": p.n_merges} for p in players])
    for player, result in zip(players, results, strict=True):
        assert [bytes(token) for word in result["bytes"] for token in word] == player.tokens


def test_character_classes_equal_those_of_the_regex_package(javascript):
    (kinds,) = javascript("classes", [None])
    patterns = {"L": r"\p{L}", "N": r"\p{N}", "s": r"\s"}
    found = {
        kind: {m.start() for m in regex.finditer(patterns[kind], "".join(map(chr, range(0x110000))))} for kind in "LNs"
    }
    for kind, points in found.items():
        # What the browser's Unicode has not assigned yet cannot be told apart there: the docstring says so.
        assert {point for point in points if kinds[point] not in (kind, "-")} == set()
        assert {point for point in range(0x110000) if kinds[point] == kind} <= points


def test_bytes_are_shown_as_text_where_they_are_whole_characters(javascript):
    cases = [
        b" low",
        "東京".encode(),
        "東".encode()[:2],
        b"a\xff\xfeb\n\x00",
        "é😀".encode(),
        b"\xc0\xaf",
        b"\xed\xa0\x80",
    ]
    shown = javascript("describe", [list(case) for case in cases])
    assert [[(run["kind"], run["text"]) for run in runs] for runs in shown] == [
        [("space", "␣"), ("text", "low")],
        [("text", "東京")],
        [("byte", "E6 9D")],
        [("text", "a"), ("byte", "FF FE"), ("text", "b"), ("space", "⏎␀")],
        [("text", "é😀")],
        [("byte", "C0 AF")],
        [("byte", "ED A0 80")],
    ]


def test_repr_is_short_and_stable():
    player = BPEPlayer([(b"a", b"b")], text="ab")
    assert repr(player) == "BPEPlayer(1 merges, 1 applied, text='ab')"
    bundle = player._repr_mimebundle_()
    assert bundle is not None
    assert bundle[0]["text/plain"] == repr(player)


def test_live_traits_change_what_is_computed():
    player = BPEPlayer([(b"a", b"b"), (b"ab", b"c")], text="abc", n_merges=0)
    assert player.tokens == [b"a", b"b", b"c"]
    player.n_merges = 2
    assert player.tokens == [b"abc"]
    player.text = "ab"
    assert player.tokens == [b"ab"]


@pytest.mark.parametrize(
    ("merges", "options", "message"),
    [
        ([(b"lo", b"w")], {}, "merge 0 is (b'lo', b'w'), and no merge before it makes b'lo'"),
        ([(b"a", b"")], {}, "no merge before it makes b''"),
        ([(b"a", b"b")], {"n_merges": 2}, "n_merges is 2: it must be from 0 to 1"),
        ([(b"a", b"b")], {"n_merges": -1}, "n_merges is -1"),
        ([], {"pattern": "cl100k"}, "unknown pattern 'cl100k'"),
    ],
)
def test_bad_input_is_refused(merges, options, message):
    with pytest.raises(ValueError, match=regex.escape(message)):
        BPEPlayer(merges, text="x", **options)
