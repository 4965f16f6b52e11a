// The schedule explorer. Arithmetic first (tested against Python), then the page.

/** The learning rate at a step of warm-up and cosine. */
export function cosine(step, { max_lr, min_lr, warmup_steps, total_steps }) {
  if (step < warmup_steps) return (max_lr * step) / warmup_steps;
  if (step >= total_steps) return step === warmup_steps ? max_lr : min_lr;
  const progress = (step - warmup_steps) / (total_steps - warmup_steps);
  return min_lr + (max_lr - min_lr) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** The learning rate at a step of warm-up, stable, decay. */
export function wsd(step, { max_lr, min_lr, warmup_steps, decay_steps, total_steps }) {
  if (step < warmup_steps) return (max_lr * step) / warmup_steps;
  const left = total_steps - step;
  if (left < 0) return min_lr;
  return left >= decay_steps ? max_lr : min_lr + ((max_lr - min_lr) * left) / decay_steps;
}

export function rate(step, sizes) {
  return (sizes.kind === "wsd" ? wsd : cosine)(step, sizes);
}

/** The mean rate over steps 1 to the last, over the greatest. */
export function meanRate(sizes) {
  let sum = 0;
  for (let step = 1; step <= sizes.total_steps; step++) sum += rate(step, sizes);
  return sum / sizes.total_steps / sizes.max_lr;
}

export function formatRate(value) {
  return value === 0 ? "0" : value.toExponential(2).replace("e-", "e−").replace("e+", "e");
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const KINDS = [
  ["cosine", "cosine"],
  ["wsd", "warm-up, stable, decay"],
];
const SLIDERS = [
  ["warmup_steps", "Warm-up (steps)", 2],
  ["decay_steps", "Decay (steps)", 2],
  ["step", "Step", 1],
];
let explorers = 0;

function buildPage(total) {
  const key = `schedule-explorer-${explorers++}`;
  const kinds = KINDS.map(([value, text]) => {
    const radio = make("input", { type: "radio", name: `${key}-kind`, id: `${key}-${value}`, value });
    return { value, radio, row: make("label", { for: `${key}-${value}` }, radio, ` ${text}`) };
  });
  const controls = {};
  const rows = SLIDERS.map(([name, label, part]) => {
    const slider = make("input", { id: `${key}-${name}`, type: "range", min: 0, max: Math.floor(total / part), step: 1 });
    const output = make("output", { for: `${key}-${name}` });
    controls[name] = { slider, output };
    return make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, label), slider, output);
  });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const page = { kinds, controls, svg, figures: make("dl", { class: "figures", "aria-live": "polite" }) };
  const choice = make("div", { class: "kinds", role: "radiogroup", "aria-label": "Kind of schedule" });
  choice.append(...kinds.map(({ row }) => row));
  page.root = make(
    "div",
    { class: "llmcourse-explorer schedule-explorer", role: "group", "aria-label": "Schedule explorer" },
    choice, ...rows, svg, page.figures,
  );
  return page;
}

const WIDTH = 560;
const HEIGHT = 150;

function drawCurve(svg, sizes) {
  const { total_steps: total, max_lr: top, step } = sizes;
  const x = (at) => (at / total) * WIDTH;
  const y = (value) => HEIGHT * (1 - value / top);
  const places = new Set([0, sizes.warmup_steps, total - sizes.decay_steps, total]);
  for (let i = 0; i <= 200; i++) places.add(Math.round((i / 200) * total));
  const points = [...places].sort((a, b) => a - b).map((at) => `${x(at).toFixed(1)},${y(rate(at, sizes)).toFixed(1)}`);
  svg.setAttribute("viewBox", `-62 -10 ${WIDTH + 84} ${HEIGHT + 34}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Learning rate ${formatRate(rate(step, sizes))} at step ${step} of ${total}`);
  const levels = [1, 0.5, 0].map(
    (part) =>
      `<line class="axis" x1="0" x2="${WIDTH}" y1="${y(part * top)}" y2="${y(part * top)}"/>` +
      `<text x="-7" y="${y(part * top) + 4}" text-anchor="end">${formatRate(part * top)}</text>`,
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = Math.round(part * total);
    return `<text x="${x(at)}" y="${HEIGHT + 19}" text-anchor="middle">${at.toLocaleString("en-US")}</text>`;
  });
  svg.innerHTML =
    levels.join("") + ticks.join("") + `<polyline points="${points.join(" ")}"/>` +
    `<circle class="tip" cx="${x(step)}" cy="${y(rate(step, sizes))}" r="5"/>`;
}

function render({ model, el }) {
  const page = buildPage(model.get("total_steps"));
  const names = ["kind", "total_steps", "warmup_steps", "decay_steps", "max_lr", "min_lr", "step"];

  function draw() {
    const sizes = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    for (const { value, radio } of page.kinds) radio.checked = value === sizes.kind;
    for (const [name, { slider, output }] of Object.entries(page.controls)) {
      const text = sizes[name].toLocaleString("en-US");
      slider.value = sizes[name];
      slider.setAttribute("aria-valuetext", text);
      output.textContent = text;
    }
    const cosineHasNone = sizes.kind === "cosine";
    page.controls.decay_steps.slider.disabled = cosineHasNone;
    if (cosineHasNone) page.controls.decay_steps.output.textContent = "—";
    drawCurve(page.svg, sizes);
    const figures = [
      ["learning rate at this step", formatRate(rate(sizes.step, sizes))],
      ["of the greatest", `${((100 * rate(sizes.step, sizes)) / sizes.max_lr).toFixed(0)}%`],
      ["mean over the run", `${(100 * meanRate(sizes)).toFixed(1)}%`],
    ];
    page.figures.replaceChildren(
      ...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { "data-figure": name }, value))),
    );
  }

  function choose(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  for (const { value, radio } of page.kinds) radio.addEventListener("change", () => choose("kind", value));
  for (const [name, { slider }] of Object.entries(page.controls)) {
    slider.addEventListener("input", () => choose(name, Number(slider.value)));
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
