"""The verb: a table of layouts, and bad sizes told."""

import re

from typer.testing import CliRunner

from llmcourse.cli import app, terminal


def invoke(monkeypatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(terminal.console, "width", 220)
    done = CliRunner().invoke(app, ["plan", *arguments])
    return done.exit_code, " ".join(re.sub(r"\x1b\[[0-9;]*m", "", done.output).split())


def test_a_7b_model_on_8_gpus(monkeypatch):
    code, output = invoke(monkeypatch, "--d-ff", "11008", "--top", "0")
    assert code == 0, output
    assert "6,738,415,616 parameters on 8 x h100:" in output
    # Of plain data parallelism: weights, gradients and averages are 4, 4 and 8 bytes of each parameter.
    row = re.search(r"8 x 1 x 1 │ data │ \S+ │ (yes|no) │ ([^┃]*?) │ (yes|no) │", output)
    cells = [float(cell) for cell in row[2].split(" │ ")[:4]]
    assert (cells[0], cells[2], cells[3]) == (27.0, 27.0, 53.9)
    assert row[3] == "no"
    assert "8 x 1 x 1, ZeRO 3 │ zero3" in output


def test_as_many_rows_as_are_asked_for(monkeypatch):
    sizes = ("--d-model", "512", "--n-layers", "4", "--n-heads", "8", "--seq-len", "512")
    for top in (1, 3):
        code, output = invoke(monkeypatch, *sizes, "--top", str(top))
        assert code == 0
        assert len(re.findall(r"│ \d+ x \d+ x \d+", output)) == top
        assert output.count("% │") == top


def test_bad_sizes_are_told(monkeypatch):
    for arguments, message in (
        (("--gpu", "abacus"), "gpu is 'abacus': choose one of"),
        (("--n-heads", "3"), "give head_dim as well"),
        (("--precision", "int8"), "precision is 'int8'"),
    ):
        code, output = invoke(monkeypatch, *arguments)
        assert (code, message in output) == (2, True), output
