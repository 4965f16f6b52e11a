"""Takes 3.5 for an integer."""

LOSES = {"check-arguments-types": 2}


def check_arguments(arguments: dict, schema: dict) -> list[str]:
    def is_of(value, kind):
        if isinstance(value, bool):
            return kind == "boolean"
        if kind == "integer":
            return isinstance(value, int | float)
        return isinstance(value, {"string": str, "number": (int, float), "boolean": bool}[kind])

    properties = schema.get("properties", {})
    faults = [f"{name} is missing" for name in schema.get("required", []) if name not in arguments]
    if not schema.get("additionalProperties", True):
        faults += [f"{name} is unknown" for name in arguments if name not in properties]
    for name, rules in properties.items():
        if name not in arguments:
            continue
        value = arguments[name]
        if "type" in rules and not is_of(value, rules["type"]):
            faults.append(f"{name} is {value!r}, not of type {rules['type']}")
            continue
        if "enum" in rules and value not in rules["enum"]:
            faults.append(f"{name} is {value!r}: choose from {rules['enum']}")
        if "minimum" in rules and value < rules["minimum"]:
            faults.append(f"{name} is {value}, less than {rules['minimum']}")
        if "maximum" in rules and value > rules["maximum"]:
            faults.append(f"{name} is {value}, more than {rules['maximum']}")
    return faults
