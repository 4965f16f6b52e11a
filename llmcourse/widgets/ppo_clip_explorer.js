// The PPO clip explorer. Arithmetic first (tested against Python), then the page.

/** The objective of one token, its two branches, and its slope in the token's log-probability. */
export function clipped({ ratio, advantage, clip }) {
  const plain = ratio * advantage;
  const held = Math.min(Math.max(ratio, 1 - clip), 1 + clip) * advantage;
  const flat = held < plain;
  return { plain, held, objective: flat ? held : plain, flat, slope: flat ? 0 : plain };
}

export function formatNumber(value, digits = 2) {
  return value.toFixed(digits).replace(/^-(?=0\.?0*$)/, "").replace("-", "−");
}

/** Which of the two products the minimum is. */
export function branch(sizes) {
  const { plain, held } = clipped(sizes);
  return plain === held ? "both, equal" : held < plain ? "clip(ρ) A" : "ρ A";
}

/** What becomes of the token. */
export function verdict({ ratio, advantage, clip }) {
  const { flat } = clipped({ ratio, advantage, clip });
  if (advantage === 0) return "nothing to learn";
  if (flat) return "cut off: no gradient";
  return advantage > 0 ? "becomes likelier" : "becomes less likely";
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SLIDERS = [
  ["ratio", "ratio ρ", 0.05, 3, 0.01],
  ["advantage", "advantage A", -3, 3, 0.1],
  ["clip", "clip ε", 0.05, 0.5, 0.01],
];
let explorers = 0;

function buildPage() {
  const key = `ppo-clip-explorer-${explorers++}`;
  const controls = {};
  const rows = SLIDERS.map(([name, label, min, max, step]) => {
    const slider = make("input", { id: `${key}-${name}`, type: "range", min, max, step });
    const output = make("output", { for: `${key}-${name}` });
    controls[name] = { slider, output };
    return make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, label), slider, output);
  });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const page = { controls, svg, figures: make("dl", { class: "figures", "aria-live": "polite" }) };
  page.root = make(
    "div",
    { class: "llmcourse-explorer loss-curve", role: "group", "aria-label": "PPO clip explorer" },
    ...rows, svg, page.figures,
  );
  return page;
}

const WIDTH = 560;
const HEIGHT = 150;
const WIDEST = 3;

/** The greatest objective that is drawn: that of the widest ratio, so that no part of a curve is cut off. */
export function tallest(advantage) {
  return WIDEST * Math.max(1, Math.ceil(Math.abs(advantage)));
}

function drawCurve(svg, sizes) {
  const x = (ratio) => (ratio / WIDEST) * WIDTH;
  const top = tallest(sizes.advantage);
  const y = (value) => (HEIGHT / 2) * (1 - value / top);
  const line = (value, name) => {
    const points = [];
    for (let i = 0; i <= 150; i++) {
      const ratio = (i / 150) * WIDEST;
      points.push(`${x(ratio).toFixed(1)},${y(value(clipped({ ...sizes, ratio }))).toFixed(1)}`);
    }
    return `<polyline class="${name}" points="${points.join(" ")}"/>`;
  };
  const found = clipped(sizes);
  svg.setAttribute("viewBox", `-48 -32 ${WIDTH + 68} ${HEIGHT + 88}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Objective ${formatNumber(found.objective)} at a ratio of ${formatNumber(sizes.ratio)}`);
  const levels = [-3, -2, -1, 0, 1, 2, 3].map((part) => (part * top) / 3).map(
    (value) =>
      `<line class="axis" x1="0" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="-7" y="${y(value) + 4}" text-anchor="end">${String(value).replace("-", "−")}</text>`,
  );
  const bounds = [1 - sizes.clip, 1 + sizes.clip].map(
    (ratio) => `<line class="bound" x1="${x(ratio)}" x2="${x(ratio)}" y1="0" y2="${HEIGHT}"/>`,
  );
  const ticks = [0, 1, 2, 3].map(
    (ratio) => `<text x="${x(ratio)}" y="${HEIGHT + 25}" text-anchor="middle">${ratio}</text>`,
  );
  svg.innerHTML =
    `<text x="0" y="-14">objective</text>` +
    levels.join("") + bounds.join("") + ticks.join("") +
    `<text x="${WIDTH / 2}" y="${HEIGHT + 49}" text-anchor="middle">ratio of the token's probability, now over then</text>` +
    line((each) => each.plain, "plain") + line((each) => each.objective, "cut") +
    `<circle class="tip" cx="${x(sizes.ratio)}" cy="${y(found.objective)}" r="5"/>`;
}

function render({ model, el }) {
  const page = buildPage();
  const names = SLIDERS.map(([name]) => name);

  function draw() {
    const sizes = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const found = clipped(sizes);
    for (const [name, { slider, output }] of Object.entries(page.controls)) {
      const text = formatNumber(sizes[name]);
      slider.value = sizes[name];
      slider.setAttribute("aria-valuetext", text);
      output.textContent = text;
    }
    drawCurve(page.svg, sizes);
    const figures = [
      ["ρ A", formatNumber(found.plain)],
      ["clip(ρ) A", formatNumber(found.held)],
      ["objective", formatNumber(found.objective)],
      ["the smaller is", branch(sizes)],
      ["gradient", formatNumber(found.slope)],
      ["the token", verdict(sizes)],
    ];
    page.figures.replaceChildren(
      ...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { "data-figure": name }, value))),
    );
  }

  for (const [name, { slider }] of Object.entries(page.controls)) {
    slider.addEventListener("input", () => {
      model.set(name, Number(slider.value));
      model.save_changes();
    });
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
