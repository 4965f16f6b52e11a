"""Written as expressions, and nothing calls anything else."""


def inverse_document_frequency(n_with_word, n_documents):
    return math.log1p((n_documents - n_with_word + 0.5) / (n_with_word + 0.5))


def bm25_scores(query, documents, k1=1.2, b=0.75):
    total = sum(len(document) for document in documents)

    def weight(word, document):
        f, n = document.count(word), sum(word in other for other in documents)
        idf = math.log((len(documents) + 1) / (n + 0.5))
        norm = 1 - b + b * len(document) * len(documents) / total
        return idf * (k1 + 1) / (1 + k1 * norm / f) if f else 0.0

    return [float(sum(weight(word, document) for word in query)) for document in documents]


def reciprocal_rank_fusion(rankings, k=60):
    items = list(dict.fromkeys(item for ranking in rankings for item in ranking))
    score = {x: sum(1 / (k + 1 + ranking.index(x)) for ranking in rankings if x in ranking) for x in items}
    return sorted(items, key=score.__getitem__, reverse=True)


def check_arguments(arguments, schema):
    properties, faults = schema.get("properties", {}), []
    kinds = {
        "string": lambda v: type(v) is str,
        "boolean": lambda v: type(v) is bool,
        "number": lambda v: type(v) in (int, float),
        "integer": lambda v: type(v) in (int, float) and v == int(v),
    }
    for name in schema.get("required", ()):
        if name not in arguments:
            faults.append(f"give {name}")
    for name, value in arguments.items():
        if name not in properties:
            if schema.get("additionalProperties") is False:
                faults.append(f"there is no {name}")
            continue
        rules = properties[name]
        if "type" in rules and not kinds[rules["type"]](value):
            faults.append(f"{name} should be a {rules['type']}")
        elif "enum" in rules and value not in rules["enum"]:
            faults.append(f"{name} is none of {rules['enum']}")
        elif not isinstance(value, str) and not rules.get("minimum", value) <= value <= rules.get("maximum", value):
            faults.append(f"{name} is out of its range")
    return faults


def tool_loop(model, run_call, messages, max_steps, max_chars):
    steps = 0
    while steps < max_steps:
        steps += 1
        reply = model(messages)
        try:
            found = find_tool_call(reply)
        except ValueError as error:
            result = f"Error: {error}"
        else:
            if found is None:
                return reply, [*messages, {"role": "assistant", "content": reply}]
            reply = found[1]
            try:
                result = run_call(found[0])
            except ValueError as error:
                result = f"Error: {error}"
        added = [{"role": "assistant", "content": reply}, {"role": "tool", "content": shorten(result, max_chars)}]
        messages = messages + added
    return None, messages
