// The RoPE explorer. Arithmetic first (tested against Python), then the page.

export const MAX_POSITION = 4096;

/** Radians by which a pair turns from one token to the next. */
export function frequency(pair, headDim, theta) {
  return theta ** ((-2 * pair) / headDim);
}

/** The product of two vectors of ones, one of them rotated by a distance, over its value at distance 0. */
export function product(distance, headDim, theta) {
  let sum = 0;
  for (let pair = 0; pair < headDim / 2; pair++) sum += Math.cos(distance * frequency(pair, headDim, theta));
  return sum / (headDim / 2);
}

/** Distances from 0 to the greatest, ever wider apart, so that a logarithmic axis is drawn evenly. */
export function distances(greatest = MAX_POSITION, steps = 240) {
  const found = new Set([0]);
  for (let i = 0; i <= steps; i++) found.add(Math.round((greatest + 1) ** (i / steps) - 1));
  return [...found].sort((a, b) => a - b);
}

/** A frequency as a reader would say it: after how many tokens the pair has turned once. */
export function wavelength(pair, headDim, theta) {
  return (2 * Math.PI) / frequency(pair, headDim, theta);
}

export function formatNumber(value) {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toPrecision(3);
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

let explorers = 0;

function buildPage(nPairs) {
  const key = `rope-explorer-${explorers++}`;
  const controls = {};
  const rows = [
    ["position", "Position (tokens)", 0, 1000],
    ["pair", "Pair", 0, nPairs - 1],
    ["theta", "Base θ", 0, 600],
  ].map(([name, label, min, max]) => {
    const slider = make("input", { id: `${key}-${name}`, type: "range", min, max, step: 1 });
    const output = make("output", { for: `${key}-${name}` });
    controls[name] = { slider, output };
    return make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, label), slider, output);
  });
  const svg = () => document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const page = { controls, circle: svg(), curve: svg(), figures: make("dl", { class: "figures", "aria-live": "polite" }) };
  page.root = make(
    "div",
    { class: "llmcourse-explorer rope-explorer", role: "group", "aria-label": "RoPE explorer" },
    ...rows,
    make(
      "div",
      { class: "pictures" },
      make("div", { class: "turn" }, page.circle, "the chosen pair"),
      make("div", { class: "decay" }, page.curve, "product of q and k, all pairs, over their distance in tokens"),
    ),
    page.figures,
  );
  return page;
}

function drawCircle(svg, angle) {
  const [x, y] = [60 * Math.cos(angle), -60 * Math.sin(angle)];
  svg.setAttribute("viewBox", "-72 -72 144 144");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `The pair has turned by ${formatNumber(angle)} radians`);
  const turned = ((angle % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI);
  const [ax, ay] = [24 * Math.cos(turned), -24 * Math.sin(turned)];
  svg.innerHTML =
    `<circle class="axis" r="60"/><line class="axis" x1="0" y1="0" x2="60" y2="0"/>` +
    `<path class="arc" d="M24 0 A24 24 0 ${turned > Math.PI ? 1 : 0} 0 ${ax} ${ay}"/>` +
    `<line class="arm" x1="0" y1="0" x2="${x}" y2="${y}"/><circle class="tip" cx="${x}" cy="${y}" r="4"/>`;
}

function drawCurve(svg, headDim, theta, at) {
  const [width, height] = [300, 120];
  const x = (distance) => (Math.log1p(distance) / Math.log1p(MAX_POSITION)) * width;
  const y = (value) => height * (1 - (value + 0.5) / 1.5);
  svg.setAttribute("viewBox", `-26 -6 ${width + 34} ${height + 24}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Product ${product(at, headDim, theta).toFixed(2)} at a distance of ${at} tokens`);
  const points = distances().map((d) => `${x(d).toFixed(1)},${y(product(d, headDim, theta)).toFixed(1)}`).join(" ");
  const levels = [1, 0.5, 0, -0.5].map(
    (value) =>
      `<line class="axis" x1="0" x2="${width}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="-4" y="${y(value) + 3}" text-anchor="end">${value}</text>`,
  );
  const ticks = [0, 1, 10, 100, 1000].map(
    (d) => `<text x="${x(d)}" y="${height + 14}" text-anchor="middle">${d}</text>`,
  );
  svg.innerHTML =
    levels.join("") + ticks.join("") + `<polyline points="${points}"/>` +
    `<circle class="tip" cx="${x(at)}" cy="${y(product(at, headDim, theta))}" r="4"/>`;
}

/** Sliders run evenly in the logarithm of what they choose. */
export function positionOfSlider(value) {
  return Math.round((MAX_POSITION + 1) ** (value / 1000) - 1);
}

export function thetaOfSlider(value) {
  return Number((10 * 10 ** (value / 100)).toPrecision(3));
}

function render({ model, el }) {
  const headDim = model.get("head_dim");
  const page = buildPage(headDim / 2);
  const { position, pair, theta } = page.controls;

  function show(control, value, text) {
    if (Number(control.slider.value) !== value && document.activeElement !== control.slider) control.slider.value = value;
    control.output.textContent = text;
    control.slider.setAttribute("aria-valuetext", text);
  }

  function draw() {
    const [m, i, base] = ["position", "pair", "theta"].map((name) => model.get(name));
    show(position, Math.round((Math.log1p(m) / Math.log1p(MAX_POSITION)) * 1000), m.toLocaleString("en-US"));
    show(pair, i, `${i} of ${headDim / 2 - 1}`);
    show(theta, Math.round(100 * Math.log10(base / 10)), base.toLocaleString("en-US"));
    const angle = m * frequency(i, headDim, base);
    drawCircle(page.circle, angle);
    drawCurve(page.curve, headDim, base, m);
    const figures = [
      ["angle (radians)", formatNumber(angle)],
      ["whole turns", String(Math.floor(angle / (2 * Math.PI)))],
      ["tokens per turn", formatNumber(wavelength(i, headDim, base))],
      ["product at this distance", product(m, headDim, base).toFixed(3)],
    ];
    page.figures.replaceChildren(
      ...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { "data-figure": name }, value))),
    );
  }

  function choose(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  position.slider.addEventListener("input", () => choose("position", positionOfSlider(Number(position.slider.value))));
  pair.slider.addEventListener("input", () => choose("pair", Number(pair.slider.value)));
  theta.slider.addEventListener("input", () => choose("theta", thetaOfSlider(Number(theta.slider.value))));
  // JupyterLab takes keys for its notebook: an arrow typed here is not meant for it.
  page.root.addEventListener("keydown", (event) => event.stopPropagation());
  const events = ["change:position", "change:pair", "change:theta"];
  events.forEach((event) => model.on(event, draw));
  el.append(page.root);
  draw();
  return () => events.forEach((event) => model.off(event, draw));
}

export default { render };
