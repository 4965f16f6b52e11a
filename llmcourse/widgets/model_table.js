// The table of models. Arithmetic first (tested against Python), then the page.

const MATRICES = { swiglu: 3, geglu: 3, gelu: 2, relu: 2 };
const DEFAULTS = {
  feed_forward: "swiglu", norms_per_layer: 2, learned_positions: 0, full_every: 0, window: null, latent: null, experts: null,
};

/** Whether a layer's feed-forward is a mixture of experts. */
function hasExperts(experts, layer) {
  const { dense_first = 0, every = 1 } = experts ?? {};
  return experts != null && layer >= dense_first && (layer - dense_first + 1) % every === 0;
}

/** Elements of one layer's attention: of its matrices, and of its vectors. */
function attention(b) {
  const { d_model: width, n_heads: heads, latent } = b;
  if (latent) {
    const q = heads * (latent.nope_head_dim + latent.rope_head_dim);
    const queries = latent.q_rank ? latent.q_rank * (width + q) : width * q;
    const up = latent.kv_rank * heads * (latent.nope_head_dim + latent.value_head_dim);
    const rest = width * (latent.kv_rank + latent.rope_head_dim) + up + heads * latent.value_head_dim * width;
    return [queries + rest, latent.kv_rank + (latent.q_rank ?? 0)];
  }
  const [q, kv] = [heads * b.head_dim, b.n_kv_heads * b.head_dim];
  const biases = (b.qkv_bias ? q + 2 * kv : 0) + (b.output_bias ? width : 0);
  const gains = { head: 2 * b.head_dim, width: q + kv }[b.qk_norm] ?? 0;
  return [2 * width * (q + kv), biases + gains + (b.sinks ? heads : 0)];
}

/** All parameters, those that work on a token, and elements of matrices that it is multiplied by. */
export function parameterParts(blueprint) {
  const b = { ...DEFAULTS, ...blueprint };
  const { d_model: width, n_layers: layers, experts } = b;
  const sparse = Array.from({ length: layers }, (_, layer) => hasExperts(experts, layer)).filter(Boolean).length;
  const table = b.vocab_size * width;
  const [matrices, vectors] = attention(b);
  const n = MATRICES[b.feed_forward];
  const biases = b.feed_forward_bias ? (n - 1) * b.d_ff + width : 0;
  let fixed = layers * matrices + (layers - sparse) * n * width * b.d_ff;
  let added = layers * vectors + (layers - sparse) * biases;
  let idle = 0;
  if (experts) {
    const { n_experts, top_k, d_expert, shared_width = 0, shared_gate = false } = experts;
    const [one, bias] = [3 * width * d_expert, experts.biases ? 2 * d_expert + width : 0];
    fixed += sparse * (top_k * one + 3 * width * shared_width + (shared_gate ? width : 0) + n_experts * width);
    added += sparse * (top_k * bias + (experts.biases ? n_experts : 0));
    idle = sparse * (n_experts - top_k) * (one + bias);
  }
  const norms = (layers * b.norms_per_layer + 1) * width * (b.norm_bias ? 2 : 1);
  const active = fixed + added + norms + table * (b.tie_embeddings ? 1 : 2) + b.learned_positions * width;
  return { total: active + idle, active, multiplied: fixed + table };
}

/** Tokens that all layers together see or hold. */
function seen(b, seqLen) {
  const full = (layer) => b.window == null || (b.full_every && (layer + 1) % b.full_every === 0);
  let sum = 0;
  for (let layer = 0; layer < b.n_layers; layer++) sum += full(layer) ? seqLen : Math.min(seqLen, b.window);
  return sum;
}

/** Bytes of keys and values after so many tokens, two for each number. */
export function kvBytes(blueprint, seqLen) {
  const b = { ...DEFAULTS, ...blueprint };
  const numbers = b.latent ? b.latent.kv_rank + b.latent.rope_head_dim : 2 * b.n_kv_heads * b.head_dim;
  return 2 * numbers * seen(b, seqLen);
}

/** Operations of a token's forward pass that sees so many tokens. */
export function flopsOfToken(blueprint, seqLen) {
  const b = { ...DEFAULTS, ...blueprint };
  const l = b.latent;
  const features = l ? l.nope_head_dim + l.rope_head_dim + l.value_head_dim : 2 * b.head_dim;
  return 2 * parameterParts(b).multiplied + 2 * b.n_heads * features * seen(b, seqLen);
}

/** What the table shows of a model, by column; null where nothing is known. */
export function numbersOf(model, context) {
  const b = model.blueprint;
  const parts = b ? parameterParts(b) : null;
  const total = parts ? parts.total : model.parameters;
  const tokens = model.training_tokens;
  return {
    parameters: total,
    active_parameters: parts ? parts.active : null,
    fp16_gb: parts ? (parts.total * 2) / 1e9 : null,
    int4_gb: parts ? Math.ceil(parts.total / 2) / 1e9 : null,
    kv_bytes: b ? kvBytes(b, 1) : null,
    kv_gib: b ? kvBytes(b, context) / 2 ** 30 : null,
    gflop_at_context: b ? flopsOfToken(b, context) / 1e9 : null,
    context: model.context,
    training_tokens: tokens,
    tokens_per_parameter: total && tokens ? tokens / total : null,
    training_flop: b && tokens ? 3 * flopsOfToken(b, 0) * tokens : null,
  };
}

/** Models that pass the filters, in order; what is not known stands last. */
export function select(models, { text, organisation, choice, open_only, sort_by, descending, context }) {
  const kept = models.filter(
    (m) =>
      [m.name, m.organisation, ...m.features].join(" ").toLowerCase().includes(text.toLowerCase()) &&
      (!organisation || m.organisation === organisation) &&
      (!choice || m.choices.includes(choice)) &&
      !(open_only && m.weights === "closed"),
  );
  const words = { name: (m) => m.name.toLowerCase(), date: (m) => m.year * 12 + m.month, organisation: (m) => m.organisation.toLowerCase() };
  const key = words[sort_by] ?? ((m) => numbersOf(m, context)[sort_by]);
  const keyed = kept.map((m) => [key(m), m]);
  const known = keyed.filter(([value]) => value != null);
  const sign = descending ? -1 : 1;
  known.sort(([a], [b]) => sign * (a < b ? -1 : a > b ? 1 : 0)); // stable, as Python's is with reverse=True
  return [...known, ...keyed.filter(([value]) => value == null)].map(([, m]) => m);
}

/** A count with its unit, to three digits. */
export function short(number) {
  for (const [size, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"]]) {
    if (number >= size) return `${Number((number / size).toPrecision(3))}${letter}`;
  }
  return Math.round(number).toLocaleString("en-US");
}

const plain = (number) => (number >= 100 ? Math.round(number).toLocaleString("en-US") : Number(number.toPrecision(3)).toString());
const power = (number) => {
  const exponent = Math.floor(Math.log10(number));
  return `${(number / 10 ** exponent).toFixed(1)}e${exponent}`;
};
const COLUMNS = {
  size: [["parameters", "Parameters", short], ["active_parameters", "Active", short], ["fp16_gb", "FP16, GB", plain], ["int4_gb", "INT4, GB", plain]],
  use: [["kv_bytes", "KV, B/token", plain], ["kv_gib", "KV, GiB", plain], ["gflop_at_context", "GFLOP/token", plain], ["context", "Context", plain]],
  training: [["training_tokens", "Tokens", short], ["tokens_per_parameter", "Tokens/parameter", plain], ["training_flop", "FLOP", power]],
};
const TITLES = { size: "Size", use: "Use", training: "Training" };
const MOST = 3;
let tables = 0;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const cell = (value, format, attributes = {}) =>
  value == null ? make("td", { ...attributes, class: "unknown" }, "not published") : make("td", attributes, format(value));
const dated = (m) => `${m.year}-${String(m.month).padStart(2, "0")}`;

function builtOf(m) {
  const b = m.blueprint;
  if (!b) return "not published";
  const heads = b.latent ? `${b.n_heads} heads over one latent of ${b.latent.kv_rank}` : `${b.n_heads} heads of ${b.head_dim}, ${b.n_kv_heads} for keys and values`;
  const experts = b.experts ? `; ${b.experts.top_k} of ${b.experts.n_experts} experts of ${b.experts.d_expert}` : "";
  const dense = b.d_ff ? `; feed-forward ${b.d_ff}` : "";
  return `${b.n_layers} layers of ${b.d_model}; ${heads}${dense}${experts}; vocabulary ${b.vocab_size.toLocaleString("en-US")}`;
}

function sideBySide(models, context) {
  const numbers = models.map((m) => numbersOf(m, context));
  const line = (title, values) => make("tr", {}, make("th", { scope: "row" }, title), ...values);
  const texts = (title, tell) => line(title, models.map((m) => make("td", {}, tell(m))));
  const counted = Object.entries(COLUMNS).flatMap(([, group]) =>
    group.map(([name, title, format]) => line(title, numbers.map((each) => cell(each[name], format)))),
  );
  return make(
    "table",
    {},
    make("thead", {}, make("tr", {}, make("td"), ...models.map((m) => make("th", { scope: "col" }, m.name)))),
    make(
      "tbody", {},
      texts("Released", (m) => `${dated(m)}, ${m.organisation}`), texts("Weights", (m) => `${m.weights} (${m.licence})`),
      texts("Known for", (m) => m.known_for), texts("Built of", builtOf), texts("Choices", (m) => m.choices.join(", ") || "not published"),
      ...counted,
      ...(models.some((m) => m.estimates.length) ? [texts("Others guess", (m) => m.estimates.join("; ") || "nothing")] : []),
      texts("Source", (m) => m.source),
    ),
  );
}

function buildControls(key, models) {
  const unique = (values) => [...new Set(values)].sort();
  const options = (values, any) => [make("option", { value: "" }, any), ...values.map((value) => make("option", { value }, value))];
  const controls = {
    text: make("input", { id: `${key}-text`, type: "search", placeholder: "name or feature" }),
    organisation: make("select", { id: `${key}-organisation` }, ...options(unique(models.map((m) => m.organisation)), "any developer")),
    choice: make("select", { id: `${key}-choice` }, ...options(unique(models.flatMap((m) => m.choices)), "any choice")),
    columns: make("select", { id: `${key}-columns` }, ...Object.keys(COLUMNS).map((value) => make("option", { value }, TITLES[value]))),
    open_only: make("input", { id: `${key}-open_only`, type: "checkbox" }),
    context: make("input", { id: `${key}-context`, type: "range", min: 10, max: 17, step: 1 }),
  };
  const labels = { text: "Search", organisation: "Developer", choice: "Built with", columns: "Columns", open_only: "Open weights only", context: "Tokens seen" };
  const output = make("output", { for: `${key}-context` });
  const fields = Object.entries(controls).map(([name, control]) =>
    make("div", { class: `field ${name}` }, make("label", { for: control.id }, labels[name]), control, ...(name === "context" ? [output] : [])),
  );
  return { controls, output, bar: make("div", { class: "fields" }, ...fields) };
}

function render({ model, el }) {
  const models = model.get("models");
  const { controls, output, bar } = buildControls(`model-table-${tables++}`, models);
  const count = make("p", { class: "count", "aria-live": "polite" });
  const list = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Models" });
  const comparison = make("div", { class: "scroll side", tabindex: 0, role: "region", "aria-label": "Side by side" });
  const root = make("div", { class: "llmcourse-explorer model-table", role: "group", "aria-label": "Table of models" }, bar, count, list, comparison);
  const names = ["text", "organisation", "choice", "open_only", "sort_by", "descending", "context"];

  function set(values) {
    Object.entries(values).forEach(([name, value]) => model.set(name, value));
    model.save_changes();
  }

  function heading(name, title) {
    const sorted = model.get("sort_by") === name;
    const down = model.get("descending");
    const button = make("button", { type: "button", "data-sort": name }, title, make("span", { "aria-hidden": "true" }, sorted ? (down ? " ▼" : " ▲") : ""));
    button.addEventListener("click", () => {
      set(sorted ? { descending: !down } : { sort_by: name, descending: !["name", "organisation"].includes(name) });
      list.querySelector(`[data-sort="${name}"]`)?.focus();
    });
    const kind = ["name", "date", "organisation"].includes(name) ? "" : "number";
    return make("th", { scope: "col", class: kind, "aria-sort": sorted ? (down ? "descending" : "ascending") : "none" }, button);
  }

  function row(m, group, compared) {
    const box = make("input", { type: "checkbox", "aria-label": `Compare ${m.name}`, "data-name": m.name });
    box.checked = compared.includes(m.name);
    box.disabled = !box.checked && compared.length >= MOST;
    box.addEventListener("change", () => {
      set({ compared: box.checked ? [...compared, m.name] : compared.filter((name) => name !== m.name) });
      list.querySelector(`[data-name="${CSS.escape(m.name)}"]`)?.focus();
    });
    const numbers = numbersOf(m, model.get("context"));
    const cells = group.map(([name, , format]) => cell(numbers[name], format, { class: "number" }));
    return make("tr", {}, make("td", {}, box), make("th", { scope: "row" }, m.name), make("td", {}, dated(m)), make("td", {}, m.organisation), ...cells);
  }

  function draw() {
    const chosen = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const compared = model.get("compared");
    const group = COLUMNS[model.get("columns")];
    const shown = select(models, chosen);
    for (const name of ["organisation", "choice"]) controls[name].value = chosen[name];
    if (controls.text.value !== chosen.text) controls.text.value = chosen.text;
    controls.columns.value = model.get("columns");
    controls.open_only.checked = chosen.open_only;
    controls.context.value = Math.round(Math.log2(chosen.context));
    output.textContent = chosen.context.toLocaleString("en-US");
    controls.context.setAttribute("aria-valuetext", `${output.textContent} tokens`);
    count.textContent = `${shown.length} of ${models.length} models. Tick up to three to set them side by side.`;
    const [top, left] = [list.scrollTop, list.scrollLeft];
    const head = make("tr", {}, make("td"), heading("name", "Model"), heading("date", "Released"), heading("organisation", "Developer"), ...group.map(([name, title]) => heading(name, title)));
    list.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...shown.map((m) => row(m, group, compared)))));
    [list.scrollTop, list.scrollLeft] = [top, left];
    comparison.hidden = compared.length === 0;
    const side = compared.map((name) => models.find((m) => m.name === name));
    comparison.replaceChildren(...(side.length ? [sideBySide(side, chosen.context)] : []));
  }

  controls.text.addEventListener("input", () => set({ text: controls.text.value }));
  for (const name of ["organisation", "choice", "columns"]) controls[name].addEventListener("change", () => set({ [name]: controls[name].value }));
  controls.open_only.addEventListener("change", () => set({ open_only: controls.open_only.checked }));
  controls.context.addEventListener("input", () => set({ context: 2 ** Number(controls.context.value) }));
  // JupyterLab takes keys for its notebook: what is typed here is not meant for it.
  root.addEventListener("keydown", (event) => event.stopPropagation());
  const events = [...names, "columns", "compared"].map((name) => `change:${name}`);
  events.forEach((event) => model.on(event, draw));
  el.append(root);
  draw();
  return () => events.forEach((event) => model.off(event, draw));
}

export default { render };
