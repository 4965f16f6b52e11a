"""Steps in functions of their own, and recursion for the loop."""


def inverse_document_frequency(n_with_word, n_documents):
    odds = (n_documents - n_with_word + 0.5) / (n_with_word + 0.5)
    return math.log(odds + 1)


def bm25_scores(query, documents, k1=1.2, b=0.75):
    lengths = [len(document) for document in documents]
    mean = sum(lengths) / len(lengths)
    scores = [0.0] * len(documents)
    for word, times in Counter(query).items():
        having = [number for number, document in enumerate(documents) if word in document]
        idf = inverse_document_frequency(len(having), len(documents))
        for number in having:
            f = documents[number].count(word)
            scores[number] += times * idf * f * (k1 + 1) / (f + k1 * (1 - b) + k1 * b * lengths[number] / mean)
    return scores


def reciprocal_rank_fusion(rankings, k=60):
    total = Counter()
    for ranking in rankings:
        for place in range(len(ranking)):
            total[ranking[place]] += 1 / (k + place + 1)
    return [item for item, _ in total.most_common()]


def kind_fits(value, kind):
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return value is True or value is False
    if value is True or value is False or not isinstance(value, (int, float)):
        return False
    return kind == "number" or value % 1 == 0


def faults_of(name, value, rules):
    if "type" in rules and not kind_fits(value, rules["type"]):
        return [f"{name}: wrong type"]
    faults = []
    if value not in rules.get("enum", [value]):
        faults.append(f"{name}: not a choice")
    if "minimum" in rules and not value >= rules["minimum"]:
        faults.append(f"{name}: too small")
    if "maximum" in rules and not value <= rules["maximum"]:
        faults.append(f"{name}: too large")
    return faults


def check_arguments(arguments, schema):
    properties = schema.get("properties", {})
    faults = [f"{name}: missing" for name in schema.get("required", []) if name not in arguments]
    for name, value in arguments.items():
        if name in properties:
            faults.extend(faults_of(name, value, properties[name]))
        elif not schema.get("additionalProperties", True):
            faults.append(f"{name}: unknown")
    return faults


def tool_loop(model, run_call, messages, max_steps, max_chars):
    if max_steps == 0:
        return None, list(messages)
    reply = model(messages)
    try:
        found = find_tool_call(reply)
        if not found:
            return reply, [*messages, {"role": "assistant", "content": reply}]
        reply = found[1]
        result = run_call(found[0])
    except ValueError as error:
        result = "Error: " + str(error)
    more = [{"role": "assistant", "content": reply}, {"role": "tool", "content": shorten(result, max_chars)}]
    return tool_loop(model, run_call, [*messages, *more], max_steps - 1, max_chars)
