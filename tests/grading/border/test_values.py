import collections
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.grading.border.limits import BorderError, Limits
from llmcourse.grading.border.values import Decoder, Encoder
from llmcourse.grading.border.wire import _parse

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters(), max_size=30)
    | st.binary(max_size=30)
    | st.builds(slice, st.integers(), st.none(), st.integers())
    | st.builds(range, st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(1, 9))
    | st.just(...)
)
KEYS = st.recursive(st.none() | st.integers() | st.text(max_size=5) | st.binary(max_size=5), lambda x: st.tuples(x, x))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=5)
        | st.sets(KEYS, max_size=5)
        | st.frozensets(KEYS, max_size=5)
        | st.binary(max_size=9).map(bytearray)
        | st.dictionaries(KEYS, inner, max_size=3).map(collections.OrderedDict)
        | st.lists(inner, max_size=3).map(lambda items: collections.deque(items, maxlen=7))
        | st.lists(st.integers(), min_size=32, max_size=40)
        | st.lists(st.floats(), min_size=32, max_size=40)
    ),
    max_leaves=20,
)


def cross(value: Any, **limits: Any) -> Any:
    """Send a value over as the border does, through bytes."""
    import json

    encoder = Encoder(Limits())
    text = json.dumps({"v": encoder.encode(value)}).encode()
    decoder = Decoder([bytearray(buffer) for buffer in encoder.buffers], Limits(**limits))
    return decoder.decode(_parse(text, Limits(**limits))["v"])


def same(a: Any, b: Any) -> bool:
    """Compare so that types, the sign of zero, NaN and order count."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, list | tuple | collections.deque):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return a == b


@given(VALUES)
def test_values_arrive_as_they_are(value: Any) -> None:
    assert same(cross(value), value)


@given(st.lists(st.sampled_from(["\ud83d", "\ude00", "a", "\U0001f600"]), max_size=6).map("".join))
def test_lone_surrogates_are_not_joined(text: str) -> None:
    assert cross(text) == text


def test_counters_and_defaultdicts_stay_what_they_are() -> None:
    counts = cross(collections.Counter("abca"))
    assert type(counts) is collections.Counter and counts["z"] == 0 and counts["a"] == 2
    lists = cross(collections.defaultdict(list, a=[1]))
    lists["b"].append(2)
    assert lists == {"a": [1], "b": [2]}


def test_one_object_twice_arrives_as_one_and_cycles_close() -> None:
    inner = [1]
    outer = cross([inner, inner, {"x": inner}])
    assert outer[0] is outer[1] is outer[2]["x"]
    ring: list[Any] = []
    ring.append(ring)
    ring = cross(ring)
    assert ring[0] is ring
    knot: tuple[list[Any]] = ([],)
    knot[0].append(knot)
    with pytest.raises(BorderError, match="holds itself"):
        cross(knot)


def test_subclasses_arrive_as_plain_values() -> None:
    class Sly(float):
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 0

        def __float__(self) -> float:
            return 5.0

    class Text(str):
        def __str__(self) -> str:
            return "expected"

    class Items(list):
        def __iter__(self):
            return iter([1, 2, 3])

    assert type(cross(Sly(2.0))) is float and cross(Sly(2.0)) == 2.0
    assert type(cross(Text("mine"))) is str and cross(Text("mine")) == "mine"
    assert type(cross(Items([9]))) is list and cross(Items([9])) == [9]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "cannot be read"),
        (["no such tag"], "cannot be read"),
        ([1, 2], "cannot be read"),
        (["b", 7], "cannot be read"),
        (["b", -1], "cannot be read"),
        (["b", True], "cannot be read"),
        (["R", 3], "cannot be read"),
        (["R", -1], "cannot be read"),
        (["i", "zz"], "cannot be read"),
        (["i", "f" * 20_000], "digits"),
        (["r", 0, 10**9, 1], "range of more than"),
        (["r", 0, 1, 0], "cannot be read"),
        (["d", "dict", None, 1], "cannot be read"),
        (["d", "eval", None], "cannot be read"),
        (["d", "dict", None, ["l"], 1], "cannot be read"),
        (["S", ["l"]], "cannot be read"),
        (["d", "defaultdict", "exec"], "cannot be read"),
        (["L", "O", 0], "cannot be read"),
        (["L", "q", 0], "cannot be read"),
        (["c", "x", 1], "cannot be read"),
        (["f", "1e5"], "cannot be read"),
        ({"a": 1}, "cannot be read"),
        (["q", -3], "cannot be read"),
    ],
    ids=str,
)
def test_malformed_values_are_refused(data: Any, message: str) -> None:
    with pytest.raises(BorderError, match=message):
        Decoder([bytearray(b"odd")], Limits()).decode(data)


def test_a_buffer_is_taken_once() -> None:
    with pytest.raises(BorderError):
        Decoder([bytearray(100)], Limits()).decode(["l", ["b", 0], ["b", 0]])


def test_depth_elements_and_colliding_keys_are_bounded() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = ["l", deep]
    with pytest.raises(BorderError, match="levels deep"):
        Decoder([], Limits()).decode(deep)
    with pytest.raises(BorderError, match="elements"):
        Decoder([], Limits(elements=100)).decode(["l", *range(200)])
    prime = 2**61 - 1  # these keys all have the hash 0
    keys = [part for n in range(1, 30_000) for part in (["i", f"{n * prime:x}"], 0)]
    with pytest.raises(BorderError, match="to read"):
        Decoder([], Limits(decode_s=0.3)).decode(["d", "dict", None, *keys])


@pytest.mark.parametrize(
    "text", [b"[1]", b'{"a": NaN}', b'{"a": 1', b"\xff", b'{"a":' + b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"]
)
def test_malformed_json_is_refused(text: bytes) -> None:
    with pytest.raises(BorderError):
        _parse(text, Limits())
