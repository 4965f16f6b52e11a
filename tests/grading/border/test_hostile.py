# ruff: noqa: E501  (an attack is a line)
"""A student's process that sends anything: each crossing ends in a BorderError, soon, and without taking memory."""

import resource
import time

import pytest

# What the hostile process does; `connection`, `frame` and `question` are at hand. Its first answer gives the names.
NAMES = """
q = question(connection)
def answer(q, body, *buffers, **more):
    connection.sendall(frame({"r": q["q"], "b": body, **more}, *buffers))
answer(q, ["d", "dict", None, "f", ["h", 1, "function", "f", None, [], None]])
q = question(connection)
"""
ATTACKS = {
    "no frame": "connection.sendall(b'<html>' * 10)",
    "wrong magic": "connection.sendall(frame({}, magic=b'XXXX'))",
    "huge header": "connection.sendall(frame({}, header_bytes=1 << 31)); question(connection)",
    "huge buffer": "connection.sendall(frame({'r': q['q']}, lengths=[1 << 62])); question(connection)",
    "a million buffers": "connection.sendall(frame({}, count=1 << 31)); question(connection)",
    "header is cut": "connection.sendall(frame({}, header_bytes=50)); question(connection)",
    "buffer is cut": "connection.sendall(frame({'r': q['q']}, b'1234', lengths=[400])); question(connection)",
    "ends in the middle": "connection.sendall(frame({}, header_bytes=50)); connection.close()",
    "ends": "connection.close()",
    "never answers": "question(connection)",
    "drips": "import time\nfor _ in range(100):\n    connection.sendall(b'L'); time.sleep(0.05)",
    "drips a header": "import time\nconnection.sendall(frame({}, header_bytes=5000))\nwhile True:\n    connection.sendall(b' '); time.sleep(0.02)",
    "no JSON": "connection.sendall(frame(b'{'))",
    "no object": "connection.sendall(frame([1]))",
    "deep JSON": "connection.sendall(frame(b'{\"b\":' + b'[' * 200000 + b']' * 200000 + b'}'))",
    "two million lists": "connection.sendall(frame(b'{\"b\":[' + b'[],' * 2500000 + b'1]}'))",
    "deep value": "v = 1\nfor _ in range(150): v = ['l', v]\nanswer(q, v)",
    "long number": "connection.sendall(frame(b'{\"r\":2,\"b\":' + b'9' * 100000 + b'}'))",
    "long hexadecimal": "answer(q, ['i', 'f' * 1000000])",
    "NaN in JSON": "connection.sendall(frame(b'{\"r\":2,\"b\":NaN}'))",
    "unknown tag": "answer(q, ['zz', 1])",
    "no tag": "answer(q, {'a': 1})",
    "pickle": "answer(q, ['P', 0, []], b'cos\\nsystem\\n(S\"true\"\\ntR.')",
    "import": "answer(q, ['I', 'os', 'system'])",
    "import of eval": "answer(q, ['I', 'builtins', 'eval'])",
    "wrong shape": "answer(q, ['T', 'float32', [1000000], 0], b'1234')",
    "negative shape": "answer(q, ['T', 'float32', [-1], 0], b'1234')",
    "huge empty shape": "answer(q, ['T', 'float32', [1 << 62, 0], 0], b'')",
    "wrong dtype": "answer(q, ['T', 'Tensor', [1], 0], b'1234')",
    "one buffer a thousand times": "answer(q, ['l', *[['b', 0]] * 1000], b'x' * 1000000)",
    "buffer that is not there": "answer(q, ['b', 99])",
    "millions of elements": "answer(q, ['L', 'q', 0], bytes(8 * 3000000))",
    "colliding keys": "n = 2**61 - 1\nanswer(q, ['d', 'dict', None, *[p for i in range(1, 60000) for p in (['i', f'{i * n:x}'], 0)]])",
    "unhashable keys": "answer(q, ['d', 'dict', None, ['l'], 1])",
    "endless range": "answer(q, ['r', 0, 10**15, 1])",
    "reference to nothing": "answer(q, ['R', 5])",
    "cycle": "answer(q, ['t', ['R', 0]])",
    "an object of the judge": "answer(q, ['o', 1])",
    "a shared tensor that is none": "answer(q, ['W', 'y', 1])",
    "a share without values": "answer(q, ['W', 'm', 1])",
    "a graph of nothing": "answer(q, ['A', 0], graph=[1, [], []])",
    "a graph that lies": "answer(q, ['A', 7], graph=[1, [['W', 'm', 1, [1, 1], ['float32', [1], 0], None]], [['float32', [1], 1]]])",
    "changes of nothing": "answer(q, 1, c=[[0, 5]])",
    "changes of another kind": "answer(q, 1, c=5)",
    "changes of tensors that are not shared": "answer(q, 1, t=[['y', 3, True, None, False, True]])",
    "a kind that is none": "answer(q, ['h', 9, 'god', 'x', None, [], None])",
    "a handle that is cut": "answer(q, ['h', 9])",
    "a record that is none": "answer(q, ['N', 'object', {}])",
    "a tuple named eval": "answer(q, ['NT', '__class__ = 3', ['a'], 1])",
    "an error that is none": "connection.sendall(frame({'r': q['q'], 'e': 3}))",
    "callback into nothing": "import time\nwhile True: connection.sendall(frame({'q': 1, 'v': 'call', 'b': [[['o', 1]], {}]})); question(connection)",
    "asks for names": "connection.sendall(frame({'q': 1, 'v': 'names', 'b': [[['l', '__name__'], ['l'], ['l']], {}]})); assert 'refused' in str(question(connection))",
    "calls a type": "connection.sendall(frame({'q': 1, 'v': 'call', 'b': [[['I', 'builtins', 'bytes'], 10**12], {}]})); question(connection); question(connection)",
    "answers of old": "for _ in range(10**6): connection.sendall(frame({'r': 1, 'b': 0}))",
    "floods": "while True: connection.sendall(b'L' * 100000)",
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_process_ends_in_a_border_error(start, attack: str) -> None:
    session = start(
        NAMES + ATTACKS[attack], solution="def f(): pass", hostile=True, call_s=0.5, grace_s=0.1, decode_s=0.5
    )
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    message = session.fails("f()")
    assert message.startswith("BorderError: "), message
    assert "Traceback" not in message and len(message) < 400
    assert time.monotonic() - began < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KiB


def test_answering_twice_counts_once(start) -> None:
    session = start(NAMES + "answer(q, 1); answer(q, 2)\nanswer(question(connection), 3)\nquestion(connection)",
                    solution="def f(): pass", hostile=True)  # fmt: skip
    session.passes("a, b = f(), f()\nassert (a, b) == (1, 3), (a, b)")


def test_wrong_gradients_are_refused(start) -> None:
    leaf = "['W', 'm', 1, [True, True], ['float32', [2], 0], None]"
    for products in ("['l']", "['l', ['T', 'float32', [7], 0]]", "['l', 'x']", "3"):
        body = f"answer(q, ['A', 0], bytes(8), bytes(4), graph=[1, [{leaf}], [['float32', [], 1]]])\n"
        back = f"q = question(connection)\nanswer(q, {products}, bytes(28))\nquestion(connection)"
        session = start(NAMES + body + back, solution="def f(): pass", hostile=True, call_s=2)
        assert session.fails("f().backward()").startswith("BorderError"), products


def test_a_loop_without_end_is_interrupted_and_the_next_test_runs(start) -> None:
    session = start("def f():\n    while True: pass\ndef g(): return 1\n"
                    "import signal\ndef h():\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    while True: pass", call_s=0.5, grace_s=1)  # fmt: skip
    assert "look for a loop that never ends" in session.fails("f()")
    session.passes("assert g() == 1")
    assert "look for a loop" in session.fails("h()")
    assert "could not be stopped" in session.fails("g()")


def test_a_process_that_ends_says_so(start) -> None:
    session = start("import os, sys\ndef f(): os._exit(1)\ndef g(): sys.exit(3)")
    assert "StudentExit" in session.fails("g()") or "SystemExit" in session.fails("g()")
    assert "process has ended" in session.fails("f()")
    assert "process has ended" in session.fails("g()")


def test_too_much_is_told_and_harms_no_other_function(start) -> None:
    session = start(
        "import torch\ndef big(): return torch.zeros(1000)\ndef many(): return [[1] for _ in range(5000)]\ndef ok(): return 1",
        frame_bytes=3000,
        elements=4000,
    )
    assert "`big` holds 4,000 bytes" in session.fails("big()")
    assert "`many` holds too many parts" in session.fails("many()")
    session.passes("assert ok() == 1")
