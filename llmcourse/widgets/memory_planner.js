// The memory planner. Arithmetic first (tested against Python), then the page.

export const PARTS = ["parameters", "gathered", "gradients", "optimizer", "activations"];
const KEYS = ["data", "tensor", "pipeline", "zero_stage"];

/** The place of a layout in the table, whose last choice runs fastest. */
export function placeOf(sizes, choices) {
  let place = 0;
  for (const key of KEYS) place = place * choices[key].length + choices[key].indexOf(sizes[key]);
  return 2 * place + (sizes.checkpointing ? 1 : 0);
}

/** MB of one GPU, by part. */
export function memoryOf(sizes, choices, table) {
  const row = table[placeOf(sizes, choices)];
  return Object.fromEntries(PARTS.map((part, i) => [part, row[i]]));
}

export function totalOf(memory) {
  return PARTS.reduce((sum, part) => sum + memory[part], 0);
}

/** MB as GB, with as many digits as matter. */
export function formatGB(megabytes) {
  const value = megabytes / 1000;
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} GB`;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const LABELS = { data: "Copies (data)", tensor: "Cuts (tensor)", pipeline: "Stages (pipeline)", zero_stage: "ZeRO stage" };
let planners = 0;

function buildPage(choices) {
  const key = `memory-planner-${planners++}`;
  const controls = {};
  const rows = KEYS.map((name) => {
    const slider = make("input", { id: `${key}-${name}`, type: "range", min: 0, max: choices[name].length - 1, step: 1 });
    slider.disabled = choices[name].length === 1;
    const output = make("output", { for: `${key}-${name}` });
    controls[name] = { slider, output };
    return make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, LABELS[name]), slider, output);
  });
  const box = make("input", { type: "checkbox", id: `${key}-checkpointing` });
  const again = make("label", { class: "again", for: `${key}-checkpointing` }, box, " activation checkpointing");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const page = {
    controls, box, svg,
    title: make("p", { class: "title" }),
    figures: make("dl", { class: "figures", "aria-live": "polite" }),
    parts: make("dl", { class: "parts" }),
    note: make("p", { class: "note" }),
  };
  page.root = make(
    "div",
    { class: "llmcourse-explorer memory-planner", role: "group", "aria-label": "Memory planner" },
    page.title, ...rows, again, page.svg, page.parts, page.figures, page.note,
  );
  return page;
}

function drawBar(svg, memory, limit) {
  const width = 600;
  const whole = Math.max(totalOf(memory), limit) * 1.06;
  const x = (megabytes) => (megabytes / whole) * width;
  svg.setAttribute("viewBox", `0 0 ${width} 62`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${formatGB(totalOf(memory))} of ${formatGB(limit)} on each GPU`);
  let start = 0;
  const bars = PARTS.map((part) => {
    const bar = `<rect class="${part}" x="${x(start)}" y="22" width="${x(memory[part])}" height="26"/>`;
    start += memory[part];
    return bar;
  });
  svg.innerHTML =
    bars.join("") +
    `<line class="limit" x1="${x(limit)}" x2="${x(limit)}" y1="16" y2="56"/>` +
    `<text x="${x(limit)}" y="11" text-anchor="middle">${formatGB(limit)}</text>`;
}

function render({ model, el }) {
  const choices = model.get("choices");
  const table = model.get("table");
  const limit = model.get("gpu_bytes") / 1e6;
  const page = buildPage(choices);
  page.title.textContent = model.get("name");
  page.note.textContent = model.get("note");

  function draw() {
    const sizes = Object.fromEntries([...KEYS, "checkpointing"].map((name) => [name, model.get(name)]));
    for (const [name, { slider, output }] of Object.entries(page.controls)) {
      slider.value = choices[name].indexOf(sizes[name]);
      slider.setAttribute("aria-valuetext", String(sizes[name]));
      output.textContent = sizes[name];
    }
    page.box.checked = sizes.checkpointing;
    const memory = memoryOf(sizes, choices, table);
    drawBar(page.svg, memory, limit);
    const entry = (kind) => ([name, value]) =>
      make("div", { class: kind(name) }, make("dt", {}, name), make("dd", { "data-figure": name }, value));
    page.parts.replaceChildren(...PARTS.map((part) => [part, formatGB(memory[part])]).map(entry((part) => part)));
    const total = totalOf(memory);
    const figures = [
      ["GPUs", String(sizes.data * sizes.tensor * sizes.pipeline)],
      ["on each", formatGB(total)],
      ["nine tenths of a GPU", total <= 0.9 * limit ? "enough" : "too little"],
    ];
    page.figures.replaceChildren(...figures.map(entry(() => "")));
  }

  function choose(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  for (const [name, { slider }] of Object.entries(page.controls)) {
    slider.addEventListener("input", () => choose(name, choices[name][Number(slider.value)]));
  }
  page.box.addEventListener("change", () => choose("checkpointing", page.box.checked));
  // JupyterLab takes keys for its notebook: an arrow typed here is not meant for it.
  page.root.addEventListener("keydown", (event) => event.stopPropagation());
  const events = [...KEYS, "checkpointing"].map((name) => `change:${name}`);
  events.forEach((event) => model.on(event, draw));
  el.append(page.root);
  draw();
  return () => events.forEach((event) => model.off(event, draw));
}

export default { render };
