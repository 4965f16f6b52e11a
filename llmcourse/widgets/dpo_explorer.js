// The DPO explorer. Arithmetic first (tested against Python), then the page.

/** log(1 + e^x) without overflow. */
function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The loss of a pair by its margin. */
export function lossOf(margin) {
  return softplus(-margin);
}

/** Implicit rewards, margin, loss, and the loss's slope in the chosen answer's log-probability. */
export function dpo({ beta, policy_chosen, policy_rejected, reference_chosen, reference_rejected }) {
  const chosen = beta * (policy_chosen - reference_chosen);
  const rejected = beta * (policy_rejected - reference_rejected);
  const margin = chosen - rejected;
  const weight = margin > 0 ? Math.exp(-margin) / (1 + Math.exp(-margin)) : 1 / (1 + Math.exp(margin));
  return { chosen, rejected, margin, loss: lossOf(margin), weight, slope: -beta * weight };
}

export function formatNumber(value, digits = 2) {
  return value.toFixed(digits).replace(/^-(?=0\.?0*$)/, "").replace("-", "−");
}

/** A number from 0 on, in three decimals or, where these would all be 0, as a power of ten. */
export function formatSmall(value) {
  return value >= 0.0005 || value === 0 ? formatNumber(value, 3) : value.toExponential(1).replace("e-", "e−");
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SLIDERS = [
  ["beta", "β", 0.01, 2, 0.01],
  ["policy_chosen", "policy, chosen", -60, 0, 0.5],
  ["policy_rejected", "policy, rejected", -60, 0, 0.5],
  ["reference_chosen", "reference, chosen", -60, 0, 0.5],
  ["reference_rejected", "reference, rejected", -60, 0, 0.5],
];
let explorers = 0;

function buildPage() {
  const key = `dpo-explorer-${explorers++}`;
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
    { class: "llmcourse-explorer loss-curve", role: "group", "aria-label": "DPO explorer" },
    ...rows, svg, page.figures,
  );
  return page;
}

const WIDTH = 560;
const HEIGHT = 150;

/** How far margins are drawn: no pair that the sliders can make lies beyond the last. */
export function reachOf(margin) {
  return [8, 40, 240].find((reach) => Math.abs(margin) <= reach);
}

function drawCurve(svg, found) {
  const reach = reachOf(found.margin);
  const top = lossOf(-reach);
  const x = (margin) => ((margin + reach) / (2 * reach)) * WIDTH;
  const y = (loss) => HEIGHT * (1 - loss / top);
  const points = [];
  for (let i = -80; i <= 80; i++) {
    const margin = (i / 80) * reach;
    points.push(`${x(margin).toFixed(1)},${y(lossOf(margin)).toFixed(1)}`);
  }
  svg.setAttribute("viewBox", `-48 -32 ${WIDTH + 68} ${HEIGHT + 88}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Loss ${formatNumber(found.loss)} at a margin of ${formatNumber(found.margin)}`);
  const levels = [0, 1, 2, 3, 4].map((part) => (part * reach) / 4).map(
    (loss) =>
      `<line class="axis" x1="0" x2="${WIDTH}" y1="${y(loss)}" y2="${y(loss)}"/>` +
      `<text x="-7" y="${y(loss) + 4}" text-anchor="end">${loss}</text>`,
  );
  const ticks = [-2, -1, 0, 1, 2].map((part) => (part * reach) / 2).map(
    (margin) => `<text x="${x(margin)}" y="${HEIGHT + 25}" text-anchor="middle">${String(margin).replace("-", "−")}</text>`,
  );
  svg.innerHTML =
    `<text x="0" y="-14">loss (nats)</text>` +
    levels.join("") + ticks.join("") +
    `<text x="${WIDTH / 2}" y="${HEIGHT + 49}" text-anchor="middle">margin of the implicit rewards</text>` +
    `<polyline points="${points.join(" ")}"/>` +
    `<circle class="tip" cx="${x(found.margin)}" cy="${y(found.loss)}" r="5"/>`;
}

function render({ model, el }) {
  const page = buildPage();
  const names = SLIDERS.map(([name]) => name);

  function draw() {
    const sizes = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const found = dpo(sizes);
    for (const [name, { slider, output }] of Object.entries(page.controls)) {
      const text = formatNumber(sizes[name], name === "beta" ? 2 : 1);
      slider.value = sizes[name];
      slider.setAttribute("aria-valuetext", text);
      output.textContent = text;
    }
    drawCurve(page.svg, found);
    const figures = [
      ["loss (nats)", formatSmall(found.loss)],
      ["weight σ(−margin)", formatSmall(found.weight)],
      ["reward, chosen", formatNumber(found.chosen)],
      ["reward, rejected", formatNumber(found.rejected)],
      ["margin", formatNumber(found.margin)],
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
