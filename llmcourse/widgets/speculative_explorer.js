// The speculative decoding explorer. Arithmetic first (tested against Python), then the page.

const LONGEST = 16;

/** Tokens that a round gives on average: 1 + a + ... + a^K. */
export function expectedTokens(acceptance, length) {
  let sum = 0;
  for (let k = length; k >= 0; k--) sum += acceptance ** k;
  return sum;
}

/** How many times as fast as plain decoding. */
export function speedup(acceptance, length, cost) {
  return expectedTokens(acceptance, length) / (1 + length * cost);
}

/** The draft length that gains most, 0 where none gains; of equals the shortest. */
export function bestLength(acceptance, cost) {
  let best = 0;
  for (let n = 1; n <= LONGEST; n++) if (speedup(acceptance, n, cost) > speedup(acceptance, best, cost)) best = n;
  return best;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SLIDERS = [
  ["acceptance", "Acceptance a", 0, 0.99, 0.01],
  ["draft_length", "Draft length K", 1, LONGEST, 1],
  ["cost_ratio", "Cost ratio c", 0, 0.5, 0.01],
];
let explorers = 0;

function buildPage() {
  const key = `speculative-explorer-${explorers++}`;
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
    { class: "llmcourse-explorer loss-curve", role: "group", "aria-label": "Speculative decoding explorer" },
    ...rows, svg, page.figures,
  );
  return page;
}

const WIDTH = 560;
const HEIGHT = 150;

function drawCurve(svg, { acceptance, draft_length, cost_ratio }) {
  const lengths = Array.from({ length: LONGEST + 1 }, (_, n) => n);
  const values = lengths.map((n) => speedup(acceptance, n, cost_ratio));
  const top = Math.max(2, Math.ceil(Math.max(...values)));
  const x = (n) => (n / LONGEST) * WIDTH;
  const y = (value) => HEIGHT * (1 - value / top);
  const best = bestLength(acceptance, cost_ratio);
  svg.setAttribute("viewBox", `-48 -32 ${WIDTH + 68} ${HEIGHT + 88}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${values[draft_length].toFixed(2)} times as fast with ${draft_length} drafted tokens`);
  // Where the scale is coarse the 1 would stand in the 0.
  const levels = [...new Set([0, ...(top > 7 ? [] : [1]), top / 2, top])].map(
    (value) =>
      `<line class="axis" x1="0" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="-7" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const ticks = [0, 4, 8, 12, 16].map((n) => `<text x="${x(n)}" y="${HEIGHT + 25}" text-anchor="middle">${n}</text>`);
  svg.innerHTML =
    `<text x="0" y="-14">times as fast as plain decoding</text>` +
    levels.join("") + ticks.join("") +
    `<text x="${WIDTH / 2}" y="${HEIGHT + 49}" text-anchor="middle">tokens drafted in a round</text>` +
    `<line class="bound" x1="${x(best)}" x2="${x(best)}" y1="0" y2="${HEIGHT}"/>` +
    `<polyline points="${lengths.map((n) => `${x(n).toFixed(1)},${y(values[n]).toFixed(1)}`).join(" ")}"/>` +
    `<circle class="best" cx="${x(best)}" cy="${y(values[best])}" r="3.5"/>` +
    `<circle class="tip" cx="${x(draft_length)}" cy="${y(values[draft_length])}" r="5"/>`;
}

function render({ model, el }) {
  const page = buildPage();
  const names = SLIDERS.map(([name]) => name);

  function draw() {
    const sizes = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const { acceptance, draft_length, cost_ratio } = sizes;
    for (const [name, { slider, output }] of Object.entries(page.controls)) {
      const text = name === "draft_length" ? String(draft_length) : sizes[name].toFixed(2);
      slider.value = sizes[name];
      slider.setAttribute("aria-valuetext", text);
      output.textContent = text;
    }
    drawCurve(page.svg, sizes);
    const best = bestLength(acceptance, cost_ratio);
    const figures = [
      ["tokens a round", expectedTokens(acceptance, draft_length).toFixed(2)],
      ["times as fast", speedup(acceptance, draft_length, cost_ratio).toFixed(2)],
      ["best K, dashed", String(best)],
      ["times as fast at best", speedup(acceptance, best, cost_ratio).toFixed(2)],
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
