def test_arguments_changed_in_place(start) -> None:
    start("""
import numpy as np, torch
def change(x):
    if isinstance(x, list): x.append(len(x)); x[0] = "first"
    elif isinstance(x, dict): x["new"] = x.pop("old")
    elif isinstance(x, set): x.add(9)
    elif isinstance(x, bytearray): x[0] = 255; x.append(1)
    else: x *= 2
    return x
def first(rows): rows[0].append(5); rows.append(rows[0])
def keep(x): return x
def fail(x): x.append(1); raise ValueError("after the change")
def sort_pair(a, b): a.sort(); b.reverse()
def grow(t): t.data = torch.ones(5)
def draw(generator): return generator.random() if hasattr(generator, "random") else torch.rand(1, generator=generator)
""").passes("""
import numpy as np, torch, collections, random
x = [0, 1]
assert change(x) is x and x == ["first", 1, 2]
d = {"old": [1], "a": 2}; inner = d["old"]
assert change(d) is d and list(d) == ["a", "new"] and d["new"] is inner
s = {1}; change(s); assert s == {1, 9}
b = bytearray(b"ab"); change(b); assert b == bytearray([255, 98, 1])
n = np.arange(4.0); assert change(n) is n and n.tolist() == [0, 2, 4, 6]
for dtype in (torch.float32, torch.bfloat16, torch.int64, torch.float16):
    t = torch.arange(6).to(dtype); view = t[1:3]
    change(view)
    assert view.tolist() == [2, 4] and t.tolist() == [0, 2, 4, 3, 4, 5]
rows = [[1], [2]]; one = rows[0]; first(rows)
assert rows == [[1, 5], [2], [1, 5]] and rows[2] is one and rows[0] is one
assert keep(rows) is rows and keep(rows)[0] is one
try:
    fail(x)
except ValueError:
    assert x[-1] == 1
a, c = [3, 1, 2], [1, 2]; sort_pair(a, c); assert a == [1, 2, 3] and c == [2, 1]
t = torch.zeros(2); grow(t); assert t.shape == (5,)
for make in (lambda: torch.Generator().manual_seed(3), lambda: random.Random(3), lambda: np.random.default_rng(3)):
    ours, theirs = make(), make()
    for _ in range(3):
        expected = torch.rand(1, generator=ours) if isinstance(ours, torch.Generator) else ours.random()
        assert draw(theirs) == expected, theirs
q = collections.deque([1, 2], maxlen=3); assert keep(q) is q
""")


def test_functions_that_may_not_change_their_arguments(start) -> None:
    source = "def add(x): x.append(1)\ndef pure(x): return x + [1]\n"
    session = start(source)
    session.passes("x = []\nadd(x)\nassert x == [1] and pure(x) == [1, 1]")
    assert session.judge.mutating == {"add"}
    strict = start(source, may_mutate=frozenset())
    assert "changes its arguments in place" in strict.fails("add([])")
    strict.passes("assert pure([]) == [1]")
    start(source, may_mutate=frozenset({"add"})).passes("x = []\nadd(x)\nassert x == [1]")


def test_records_of_the_instructor_cross_by_value(start) -> None:
    setup = """
import dataclasses, enum, typing
@dataclasses.dataclass
class Config:
    size: int
    names: list
@dataclasses.dataclass(frozen=True)
class Frozen:
    a: float
class Colour(enum.Enum):
    RED = 1
class Pair(typing.NamedTuple):
    left: int
    right: int
class OutOfBlocks(Exception):
    pass
"""
    start(
        "def f(c):\n    c.size += 1\n    return Frozen(0.5), Colour.RED, Pair(1, 2), c\n"
        "def g(): raise OutOfBlocks('none left')\ndef h(): return Config(1, [])\n",
        setup,
    ).passes("""
c = Config(3, ["x"])
frozen, colour, pair, same = f(c)
assert frozen == Frozen(0.5) and type(frozen) is Frozen and colour is Colour.RED and pair == Pair(1, 2)
assert type(pair) is Pair and same is c and c == Config(4, ["x"]) and h() == Config(1, [])
try:
    g()
except OutOfBlocks as error:
    assert str(error) == "none left"
""")
