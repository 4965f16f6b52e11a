"""Outputs of a student's kernel lose what a browser would run, and what is no output."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_output
from nbformat.validator import validate

from llmcourse.grading.outputs import inert_content

KINDS = ("stream", "error", "execute_result", "display_data")
TEXT = st.text(max_size=20) | st.text(st.characters(categories=["Cs", "L"]), max_size=20)  # halves of characters, too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
FIELDS = ("name", "text", "data", "metadata", "ename", "evalue", "traceback", "execution_count")


@given(
    kind=st.sampled_from(KINDS),
    content=JSON | st.dictionaries(st.sampled_from(FIELDS), JSON | st.just("stdout")),
    room=st.integers(1, 100),
)
def test_whatever_comes_out_is_an_output_of_a_notebook(kind, content, room):
    found = inert_content(kind, content, room)
    if found is not None:
        validate(new_output(kind, **found), ref="output", version=4, version_minor=5)
        json.dumps(found, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "mime",
    ["text/html", "text/markdown", "text/latex", "image/svg+xml", "application/javascript", "application/json"],
)
def test_what_a_browser_would_run_is_dropped(mime):
    data = {mime: "<script>alert(1)</script>", "text/plain": "plain"}
    assert inert_content("display_data", {"data": data}, 1000) == {"data": {"text/plain": "plain"}, "metadata": {}}


def test_a_picture_stays(tmp_path):
    data = {"image/png": "aGVsbG8=\n", "text/plain": "<Figure>"}
    assert inert_content("display_data", {"data": data}, 1000)["data"] == data


def test_a_picture_that_is_none_is_dropped():
    assert inert_content("display_data", {"data": {"image/png": '"><script>'}}, 1000) is None


def test_an_error_is_cut_to_what_fits():
    content = {"ename": "E", "evalue": "x" * 50, "traceback": ["a" * 6, "b" * 6, 3, "c"]}
    found = inert_content("error", content, 10)
    assert found == {"ename": "E", "evalue": "x" * 10, "traceback": ["a" * 6, "b" * 4]}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("stream", {"name": "stdout", "text": "a\udc80b"}),
        ("error", {"ename": "\udc80", "evalue": "\ud800", "traceback": ["\udfff"]}),
        ("execute_result", {"data": {"text/plain": "\udc80"}, "execution_count": 1}),
    ],
)
def test_halves_of_characters_can_be_written(kind, content):
    found = inert_content(kind, content, 100)
    assert "?" in json.dumps(found, ensure_ascii=False).encode().decode()
