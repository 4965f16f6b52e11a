import pytest

from llmcourse.grading.border.solution_names import names_of, solution_names


def cell(source: str, *, solution: bool = True, kind: str = "code") -> dict:
    return {"cell_type": kind, "source": source, "metadata": {"nbgrader": {"solution": solution}}}


def test_names_of_every_kind() -> None:
    found = names_of("""
%matplotlib inline
!ls
import numpy as np, os.path
from math import pi as circle
def f(x):
    inner = 1
    global counter
    counter = x
async def g(): local = 2
class C:
    member = 3
    def method(self): pass
a, (b, *c) = 1, (2, 3)
d: int = 4
e += 1
for i in range(3):
    in_loop = i
with open("x") as handle: pass
if True:
    conditional = (walrus := 5)
try: tried = 1
except ValueError: caught = 2
finally: last = 3
items = [hidden for hidden in range(3)]
h = lambda z: z
""")
    kinds = {name: item.kind for name, item in found.items()}
    variables = "counter a b c d e i in_loop handle conditional walrus tried caught last items h".split()
    assert kinds == {
        **dict.fromkeys(("np", "os", "circle"), "import"),
        **dict.fromkeys(("f", "g"), "function"),
        "C": "class",
        **dict.fromkeys(variables, "variable"),
    }
    assert found["circle"].statement == "from math import pi as circle"


def test_only_solution_cells_count() -> None:
    cells = [cell("a = 1"), cell("b = 1", solution=False), cell("c = 1", kind="markdown"), cell("%%bash\nls"), cell("")]
    assert set(solution_names(cells)) == {"a"}
    assert set(solution_names([{"cell_type": "code", "source": "x = 1", "metadata": {}}])) == set()


def test_what_classes_can_do() -> None:
    found = solution_names([
        cell("""
class Plain:
    def __len__(self): return 0
class Value:
    def __add__(self, other): return self
    __radd__ = __add__
class Derived(Value):
    pass
class Unknown(SomeList):
    pass
class Net(nn.Module):
    pass
@dataclass(frozen=True)
class Point:
    x: int
    y: int = field(default=0, compare=False)
    shared: ClassVar[int] = 3
@dataclasses.dataclass(order=True)
class Ordered(Point):
    z: int = 0
@dataclass
class Own:
    x: int
    def __eq__(self, other): return True
"""),
    ])  # fmt: skip
    assert found["Plain"].operators == {"__len__"} and not found["Plain"].open_ended
    assert found["Derived"].operators == {"__add__", "__radd__"} and not found["Derived"].open_ended
    assert found["Unknown"].open_ended and not found["Net"].open_ended
    assert found["Point"].fields == ("x",) and found["Ordered"].fields == ("x", "z")
    assert "__lt__" in found["Ordered"].operators and found["Own"].fields is None and found["Net"].fields is None


def test_broken_source_is_the_instructors_error() -> None:
    with pytest.raises(SyntaxError):
        names_of("def f(:")
