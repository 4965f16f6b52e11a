import subprocess
import sys

CACHE = """
import threading
from dataclasses import dataclass
from collections import namedtuple

limit = 3
Step = namedtuple("Step", "loss norm")

class Cache:
    default = 4

    def __init__(self, size=2):
        self.size, self.items, self.lock = size, {}, threading.Lock()

    def put(self, key, value):
        if len(self.items) >= self.size:
            raise CacheFull(f"no room for {key}")
        self.items[key] = value
        return self

    @classmethod
    def small(cls):
        return cls(1)

    @staticmethod
    def double(x):
        return 2 * x

    def __len__(self):
        return len(self.items)

    def __getitem__(self, key):
        return self.items[key]

    def __setitem__(self, key, value):
        self.items[key] = value

    def __delitem__(self, key):
        del self.items[key]

    def __contains__(self, key):
        return key in self.items

    def __iter__(self):
        return iter(self.items)

    def __bool__(self):
        return True

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, *error):
        self.open = False

    def __call__(self, x, *, scale=1):
        return x * scale

class CacheFull(ValueError):
    pass

class Money:
    def __init__(self, n):
        self.n = n

    def __add__(self, other):
        return Money(self.n + (other.n if isinstance(other, Money) else other))

    __radd__ = __add__

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n

    def __hash__(self):
        return self.n

    def __repr__(self):
        return f"Money({self.n})"

@dataclass
class Result:
    loss: float
    steps: list

    def __eq__(self, other):
        return True

def squares(n):
    for i in range(n):
        yield i * i

def forever():
    while True:
        yield 0

def make_result(loss):
    return Result(loss, [1, 2])

def make_step():
    return Step(0.5, 2)

def adder(n, *, sign=1):
    return lambda x: n + sign * x

def apply(function, *args):
    return function(*args)

def use(thing):
    return thing.weigh(3) + thing.kilos, len(thing), [x for x in thing], thing[1]

def say(text):
    print(text)
    return text
"""


def test_an_object_with_state(start) -> None:
    start(CACHE).passes("""
c = Cache()
assert c.size == 2 and len(c) == 0 and c and Cache.default == 4
assert c.put("a", 1) is c and c["a"] == 1 and "a" in c and "b" not in c
c["b"] = [2]
assert list(c) == ["a", "b"] and c.items == {"a": 1, "b": [2]}
del c["a"]
assert len(c) == 1 and not hasattr(c, "other") and hasattr(c, "put")
c.size = 7
assert c.size == 7 and isinstance(c, Cache) and not isinstance(3, Cache) and callable(c)
assert Cache.small().size == 1 and Cache.double(4) == 8 and Cache.__name__ == "Cache"
with c as entered:
    assert entered is c and c.open
assert not c.open and c(3, scale=2) == 6
assert type(c).__name__ == "Cache" and issubclass(Cache, Cache)
d = Cache()
assert c != d and c == c and len({c, d, c}) == 2
import copy
e = copy.deepcopy(Money(5))
assert e.n == 5 and isinstance(e, Money)
assert limit == 3
try:
    c.missing
except AttributeError as error:
    assert "missing" in str(error)
""")


def test_exceptions_arrive_with_type_message_and_place(start) -> None:
    run = start(CACHE).run("""
c = Cache(0)
try:
    c.put("k", 1)
except CacheFull as error:
    assert str(error) == "no room for k" and isinstance(error, ValueError)
else:
    raise AssertionError
try:
    squares()
except TypeError as error:
    assert "argument" in str(error)
c["nothing"]
""")
    assert type(run.error) is KeyError
    output = run.outputs[-1]
    assert output.ename == "KeyError" and output.evalue == "'nothing'"
    assert "`__getitem__`" in "\n".join(output.traceback)


def test_operators_of_the_solutions_class(start) -> None:
    start(CACHE).passes("""
assert Money(2) + Money(3) == Money(5) and Money(2) < Money(3) and Money(1) != Money(2)
assert (Money(2) + 3).n == 5 and sum([Money(1), Money(2)]).n == 3
assert max([Money(1), Money(4)]).n == 4 and repr(Money(3)) == "Money(3)" and f"{Money(1)}" == "Money(1)"
assert not (Money(5) == 5)
""")


def test_dataclasses_are_compared_by_the_judge(start) -> None:
    solution = CACHE.replace("    def __eq__(self, other):\n        return True\n", "")
    start(CACHE, solution=solution).passes("""
r = make_result(0.25)
assert r.loss == 0.25 and r.steps == [1, 2] and isinstance(r, Result)
assert r == Result(0.25, [1, 2]) and r != Result(0.5, [1, 2])
s = make_step()
assert s == (0.5, 2) and s.norm == 2 and isinstance(s, Step) and isinstance(s, tuple)
""")


def test_generators_functions_and_signatures(start) -> None:
    start(CACHE).passes("""
import inspect
assert list(squares(4)) == [0, 1, 4, 9]
g = squares(2)
assert next(g) == 0 and next(g) == 1 and next(g, None) is None
from itertools import islice
assert list(islice(forever(), 3)) == [0, 0, 0]
assert adder(3)(4) == 7 and adder(3, sign=-1)(1) == 2 and adder.__name__ == "adder"
parameters = inspect.signature(adder).parameters
assert list(parameters) == ["n", "sign"] and parameters["sign"].default == 1
assert parameters["sign"].kind is inspect.Parameter.KEYWORD_ONLY
""")


def test_an_endless_generator_is_stopped(start) -> None:
    assert "yields more than 50" in start(CACHE, iterations=50).fails("list(forever())")


def test_callbacks_into_the_test(start) -> None:
    start(CACHE).passes("""
seen = []
def note(x):
    seen.append(x)
    return x + 1
assert apply(note, 4) == 5 and seen == [4]
assert apply(lambda f, x: f(x), adder(1), 2) == 3
assert apply(apply, apply, note, 1) == 2
class Thing:
    kilos = 2
    _secret = 1
    def weigh(self, n): return 10 * n
    def __len__(self): return 3
    def __iter__(self): return iter([1, 2])
    def __getitem__(self, i): return i + 100
assert use(Thing()) == (32, 3, [1, 2], 101)
assert apply(len, [1, 2]) == 2 and apply(sorted, {3: 1, 2: 1}) == [2, 3]
class Stop(Exception): pass
def stop(): raise Stop("now")
try:
    apply(stop)
except Stop as error:
    assert error.args == ("now",)
""")


def test_callbacks_do_not_go_on_without_end(start) -> None:
    source = "def again(f): return f(again)"
    assert "levels deep" in start(source).fails("def back(g): return g(back)\nagain(back)")


def test_what_cannot_cross_says_so(start) -> None:
    session = start(CACHE)
    assert session.fails("Cache().lock") == "BorderError: `Cache.lock` is a lock and cannot leave its process"
    assert "derive a class from `Cache`" in session.fails("class Mine(Cache): pass")
    assert "cannot be passed" in session.fails("import threading\nsay(threading.Lock())")
    assert "cannot be pickled" in session.fails("import pickle\npickle.dumps(Cache())")
    session.passes("assert Cache().size == 2")


def test_what_a_student_returns_does_not_pass_for_a_value(start) -> None:
    session = start(
        """
class Anything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0.0
    __rsub__ = __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __float__ = __abs__ = __sub__
    def allclose(self, other): return True
    equal = allclose
class Sly(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
import torch
class SlyTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None): return True
def f(kind):
    return {"any": Anything, "sly": lambda: Sly(7), "tensor": lambda: torch.ones(2).as_subclass(SlyTensor)}[kind]()
""",
        solution="def f(kind): return 1.0",
    )
    session.passes("""
import torch, numpy as np, math
out = f("any")
assert not (out == 5) and out != 5 and not (5 == out)
checks = [lambda: abs(out - 5.0) < 1e-6, lambda: out < 6, lambda: 5 in out, lambda: math.isclose(out, 5),
          lambda: torch.testing.assert_close(out, torch.ones(2)), lambda: np.testing.assert_allclose(out, 5.0),
          lambda: out.allclose(torch.ones(2)), lambda: out.equal(1), lambda: torch.ones(2) - out,
          lambda: np.ones(2) - out, lambda: abs(5.0 - out) < 1e-6, lambda: float(out),
          lambda: np.testing.assert_array_equal(np.ones(2), out), lambda: torch.allclose(out, torch.ones(2))]
for number, check in enumerate(checks):
    try:
        check()
    except (TypeError, AssertionError, ValueError):
        continue
    raise AssertionError(f"check {number} took an object for a value")
assert type(f("sly")) is float and f("sly") == 7 and f("sly") != 5
assert type(f("tensor")) is torch.Tensor and torch.equal(f("tensor"), torch.ones(2))
""")


def test_output_of_the_students_code_is_shown_and_capped(start) -> None:
    session = start(CACHE, output_chars=100)
    run = session.run('print("a"); say("b"); print("c")')
    assert [(output.name, output.text) for output in run.outputs] == [("stdout", "a\nb\nc\n")]
    run = session.run('say("x" * 1000); 3')
    assert len(run.outputs[0].text) == 100


def test_student_objects_that_are_let_go_are_freed(start) -> None:
    session = start("class Big:\n    pass\ndef make(): return Big()\n", handles=50)
    session.passes("for _ in range(300):\n    make()")
    assert "more than 50 objects" in session.fails("kept = [make() for _ in range(60)]")


def test_seeds_of_the_test_hold_in_the_students_process(start) -> None:
    start("""
import random, torch, numpy as np
def draw(): return random.random(), torch.rand(2), np.random.rand()
def meddle(): random.seed(0); torch.manual_seed(0)
""").passes("""
import random, torch, numpy as np
def ours(): return random.random(), torch.rand(2), np.random.rand()
def seed(): random.seed(5); torch.manual_seed(6); np.random.seed(7)
seed(); a = draw(); b = draw()
seed(); c = ours(); d = ours()
assert a[0] == c[0] and torch.equal(a[1], c[1]) and a[2] == c[2]
assert b[0] == d[0] and torch.equal(b[1], d[1]) and b[2] == d[2]
seed(); before = ours(); meddle(); after = ours()
seed(); ours(); assert ours()[0] == after[0]
with torch.no_grad():
    pass
""")


def test_no_frames_code_or_globals_of_the_test_reach_the_student(start) -> None:
    session = start("""
def spy(f, name):
    try:
        return ["got", str(getattr(f, name))]
    except Exception as error:
        return ["refused", str(error)]
""")
    session.passes("""
secret = 42
def helper(): return secret
def walk(): yield secret
class Plain:
    def method(self): return secret
for thing in (helper, walk(), Plain(), Plain().method, lambda: secret):
    for name in ("__globals__", "__code__", "gi_frame", "gi_code", "__closure__", "__class__", "_x", "__self__"):
        answer = spy(thing, name)
        stand_in = name == "__class__" and (".border." in answer[1] or "student." in answer[1])
        assert answer[0] == "refused" or stand_in, (thing, name, answer)
""")


def test_a_student_puts_no_code_into_what_the_test_takes_its_reference_from(start) -> None:
    start("""
def attack(model, thing):
    refused = 0
    for act in (
        lambda: setattr(model, "forward", lambda x: 0),
        lambda: setattr(model, "scale", 0),
        lambda: model.register_forward_hook(lambda *a: 0),
        lambda: setattr(thing, "weigh", 3),
        lambda: setattr(thing, "kilos", lambda: 3),
        lambda: thing._hidden,
    ):
        try:
            act()
        except Exception as error:
            refused += "does not give" in str(error)
    thing.kilos = 5
    return refused
""").passes("""
import torch
class Toy(torch.nn.Module):
    def forward(self, x): return 2 * x
class Thing:
    kilos, _hidden = 1, 2
    def weigh(self): return 3
toy, thing = Toy(), Thing()
assert attack(toy, thing) == 6 and toy(4) == 8 and thing.weigh() == 3 and thing.kilos == 5
""")


def test_importing_the_border_imports_no_torch() -> None:
    code = "import sys, llmcourse.grading.border; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
