// The VRAM calculator. Arithmetic first (tested against Python), then the page.

const CHUNK = 512;
const OVERHEAD = 512 * 2 ** 20;

/** Bytes on each GPU, by part. */
export function estimate({ shape, billions, bits, context, batch_size, kv_bits, n_gpus }) {
  const heads = shape.n_heads / n_gpus;
  const kvHeads = Math.ceil(shape.n_kv_heads / n_gpus);
  const chunk = Math.min(CHUNK, context);
  const feedForward = 3 * Math.ceil(shape.d_ff / n_gpus);
  const attention = (3 * heads + 3 * kvHeads) * shape.head_dim;
  const inside = batch_size * chunk * (2 * shape.d_model + Math.max(feedForward, attention));
  const logits = batch_size * (chunk * shape.d_model + shape.vocab_size);
  const parts = {
    weights: Math.ceil(((billions * 1e9) / n_gpus) * (bits / 8)),
    cache: Math.ceil((2 * shape.n_layers * kvHeads * shape.head_dim * context * batch_size * kv_bits) / 8),
    activations: 2 * Math.max(inside, logits),
    overhead: OVERHEAD,
  };
  return { ...parts, total: parts.weights + parts.cache + parts.activations + parts.overhead };
}

/** The numbers of GPUs over which a model's heads can be spread equally: the first few of the powers of two. */
export function gpusFor(shape, gpus) {
  return gpus.filter((n) => shape.n_heads % n === 0);
}

// Below ten a second decimal, without which 1.34 GB and 1.25 GiB would read alike.
const brief = (value) => value.toFixed(value < 9.995 ? 2 : 1);

export function formatGB(bytes) {
  return `${brief(bytes / 1e9)} GB`;
}

export function formatGiB(bytes) {
  return `${brief(bytes / 2 ** 30)} GiB`;
}

/** The smallest of usual cards that holds it; a few percent of a card are never free. */
export function card(bytes) {
  const cards = [8, 12, 16, 24, 32, 48, 80, 141, 192];
  const fits = cards.find((gib) => bytes <= 0.95 * gib * 2 ** 30);
  return fits === undefined ? "none of 192 GB" : `${fits} GB`;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const PARTS = [
  ["weights", "weights"],
  ["cache", "keys and values"],
  ["activations", "activations"],
  ["overhead", "overhead"],
];
const LABELS = {
  billions: "Parameters",
  bits: "Bits of a weight",
  context: "Tokens of context",
  batch_size: "Sequences at a time",
  kv_bits: "Bits of the cache",
  n_gpus: "GPUs (tensor parallel)",
};
let calculators = 0;

function buildPage(models, choices) {
  const key = `vram-calculator-${calculators++}`;
  const select = make("select", { id: `${key}-model` }, ...models.map(({ name }) => make("option", { value: name }, name)));
  const rows = [make("div", { class: "control" }, make("label", { for: `${key}-model` }, "Shape of"), select)];
  const controls = {};
  const add = (name, label, attributes) => {
    const slider = make("input", { id: `${key}-${name}`, type: "range", step: 1, ...attributes });
    const output = make("output", { for: `${key}-${name}` });
    controls[name] = { slider, output };
    rows.push(make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, label), slider, output));
  };
  for (const [name, label] of Object.entries(LABELS)) add(name, label, { min: 0, max: choices[name].length - 1 });
  const bar = make("div", { class: "bar", role: "img" });
  const page = { select, controls, bar, figures: make("dl", { class: "figures", "aria-live": "polite" }) };
  page.root = make(
    "div",
    { class: "llmcourse-explorer vram-calculator", role: "group", "aria-label": "VRAM calculator" },
    ...rows, bar, page.figures,
  );
  return page;
}

function drawBar(bar, found) {
  const text = PARTS.map(([name, label]) => `${label} ${formatGB(found[name])}`).join(", ");
  bar.setAttribute("aria-label", text);
  bar.replaceChildren(
    ...PARTS.map(([name]) => make("span", { class: name, style: `width: ${(100 * found[name]) / found.total}%` })),
  );
}

function render({ model, el }) {
  const models = model.get("models");
  const choices = model.get("choices");
  const page = buildPage(models, choices);
  const names = ["model", ...Object.keys(LABELS)];

  const shapeOf = (chosen) => models.find(({ name }) => name === chosen);

  function draw() {
    const chosen = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const shape = shapeOf(chosen.model);
    const found = estimate({ ...chosen, shape });
    page.controls.n_gpus.slider.max = gpusFor(shape, choices.n_gpus).length - 1;
    page.select.value = chosen.model;
    for (const [name, { slider, output }] of Object.entries(page.controls)) {
      const isCount = name === "billions";
      const text = isCount ? `${chosen.billions} billion` : chosen[name].toLocaleString("en-US");
      slider.value = choices[name].indexOf(chosen[name]);
      slider.setAttribute("aria-valuetext", text);
      output.textContent = text;
    }
    drawBar(page.bar, found);
    const figures = [
      ...PARTS.map(([name, label]) => [name, `${label}, ${formatGiB(found[name])}`, formatGB(found[name])]),
      ["total", chosen.n_gpus > 1 ? "on each GPU" : "in all", `${formatGB(found.total)} = ${formatGiB(found.total)}`],
      ["fits", "smallest card", card(found.total)],
    ];
    page.figures.replaceChildren(
      ...figures.map(([name, label, value]) =>
        make("div", { class: name }, make("dt", {}, label), make("dd", { "data-figure": name }, value)),
      ),
    );
  }

  function choose(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  page.select.addEventListener("change", () => {
    const shape = shapeOf(page.select.value);
    // First the GPUs: at no moment is a model cut where it cannot be.
    const fitting = gpusFor(shape, choices.n_gpus).filter((n) => n <= model.get("n_gpus"));
    choose("n_gpus", fitting.at(-1));
    choose("model", shape.name);
    choose("billions", shape.billions);
  });
  for (const [name, { slider }] of Object.entries(page.controls)) {
    slider.addEventListener("input", () => choose(name, choices[name][Number(slider.value)]));
  }
  // JupyterLab takes keys for its notebook: an arrow typed here is not meant for it.
  page.root.addEventListener("keydown", (event) => event.stopPropagation());
  const events = names.map((name) => `change:${name}`);
  events.forEach((event) => model.on(event, draw));
  el.append(page.root);
  draw();
  return () => events.forEach((event) => model.off(event, draw));
}

export default { render };
