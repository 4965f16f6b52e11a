import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.emerging import check_arguments, check_schema

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0, -1.5, "", "a"])
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=3), max_leaves=6
)
TYPES = st.sampled_from(["object", "string", "number", "integer", "boolean", "array", "null"])
RULES = {
    "type": TYPES,
    "enum": st.lists(SCALARS, min_size=1, max_size=3),
    "minimum": st.integers(-2, 2),
    "maximum": st.integers(-2, 2),
    "required": st.lists(NAMES, max_size=2, unique=True),
    "additionalProperties": st.booleans(),
    "description": st.just("told to the model"),
}
SCHEMAS = st.recursive(
    st.fixed_dictionaries({}, optional=RULES),
    lambda part: st.fixed_dictionaries(
        {"properties": st.dictionaries(NAMES, part, max_size=3)}, optional={**RULES, "items": part}
    ),
    max_leaves=4,
)


@given(value=VALUES, schema=SCHEMAS)
def test_as_jsonschema(value, schema):
    jsonschema = pytest.importorskip("jsonschema")
    check_schema(schema)
    assert (check_arguments(value, schema) == []) == jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        (True, {"type": "integer"}, ["arguments is True, not of type integer"]),
        (3.0, {"type": "integer"}, []),
        (3.5, {"type": "integer"}, ["arguments is 3.5, not of type integer"]),
        ("3", {"type": "number"}, ["arguments is '3', not of type number"]),
        (True, {"enum": [1]}, ["arguments is True: choose from 1"]),
        ("x", {"minimum": 3}, []),
        (math.nan, {"minimum": 0}, ["arguments is nan, less than 0"]),
        (5, {"maximum": 4}, ["arguments is 5, more than 4"]),
        ({"a": 1}, {"additionalProperties": False}, ["arguments.a is unknown: choose from none"]),
        ([1, "a"], {"items": {"type": "string"}}, ["arguments[0] is 1, not of type string"]),
        ({"a": {"b": 1}}, {"properties": {"a": {"required": ["c"]}}}, ["arguments.a.c is missing"]),
    ],
)
def test_messages(value, schema, expected):
    assert check_arguments(value, schema) == expected


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"pattern": "x"}, "'pattern' is a rule"),
        ({"type": ["string", "null"]}, "type .* is unknown"),
        ({"properties": {"a": {"oneOf": []}}}, "'oneOf'"),
        ({"items": {"type": "int"}}, "type 'int' is unknown"),
        ({"additionalProperties": {"type": "string"}}, "give true or false"),
    ],
)
def test_refuses_schemas_that_it_would_not_check_in_full(schema, message):
    with pytest.raises(ValueError, match=message):
        check_schema(schema)
