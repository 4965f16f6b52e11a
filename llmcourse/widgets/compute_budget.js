// The compute budget. Arithmetic first (tested against Python), then the page.

export const RANGES = { log_flops: [18, 27], log_served: [9, 16] };

/** The loss of a model of so many parameters after so many tokens, in nats a token. */
export function chinchillaLoss(parameters, tokens, { E, A, B, alpha, beta }) {
  return E + A * parameters ** -alpha + B * tokens ** -beta;
}

/** The split of a budget that loses least, with C = 6 N D. */
export function computeOptimal(flops, { A, B, alpha, beta }) {
  const scale = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta));
  const parameters = scale * (flops / 6) ** (beta / (alpha + beta));
  return { parameters, tokens: flops / 6 / parameters };
}

/** How many tokens bring a model of this size to a loss; infinite for one that is too small. */
export function tokensForLoss(parameters, loss, { E, A, B, alpha, beta }) {
  const left = loss - E - A * parameters ** -alpha;
  return left > 0 ? (B / left) ** (1 / beta) : Infinity;
}

/** The FLOP of training and of serving. */
export function lifetimeCost(parameters, tokens, served) {
  return 6 * parameters * tokens + 2 * parameters * served;
}

/** The model that reaches a loss for the least FLOP over its life: the sign of the cost's slope is bisected. */
export function cheapestForLoss(loss, served, fit) {
  const { E, A, B, alpha, beta } = fit;
  let low = Math.log(A / (loss - E)) / alpha;
  let high = low + 100 / alpha;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    const parameters = Math.exp(middle);
    const tokens = tokensForLoss(parameters, loss, fit);
    const ratio = (alpha * A * parameters ** -alpha) / (beta * B * tokens ** -beta);
    if (Number.isFinite(tokens) && 6 * tokens * (1 - ratio) + 2 * served > 0) high = middle;
    else low = middle;
  }
  const parameters = Math.exp(high);
  return { parameters, tokens: tokensForLoss(parameters, loss, fit) };
}

/** The left end of the second slider stands for a model that is never used. */
export function servedTokens(logServed) {
  return logServed > RANGES.log_served[0] ? 10 ** logServed : 0;
}

/** All that the figure shows: the best split, and the model of the same loss that is best when it is used. */
export function solve(logFlops, logServed, fit) {
  const served = servedTokens(logServed);
  const describe = ({ parameters, tokens }) => ({
    parameters,
    tokens,
    loss: chinchillaLoss(parameters, tokens, fit),
    training: lifetimeCost(parameters, tokens, 0),
    lifetime: lifetimeCost(parameters, tokens, served),
  });
  const optimal = describe(computeOptimal(10 ** logFlops, fit));
  return { served, optimal, used: describe(cheapestForLoss(optimal.loss, served, fit)) };
}

/** A count in three digits, with the letter that people say. */
export function short(number) {
  for (const [size, letter] of [[1e15, "Q"], [1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (number >= size * 0.9995) return `${Number((number / size).toPrecision(3))}${letter}`;
  }
  return String(Number(number.toPrecision(3)));
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const superscript = (number) => [...String(number)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
const scientific = (number) => {
  const [digits, power] = number.toExponential(2).split("e+");
  return `${digits} · 10${superscript(power)}`;
};

let budgets = 0;

function buildPage() {
  const key = `compute-budget-${budgets++}`;
  const slider = (name, [min, max]) =>
    make("input", { id: `${key}-${name}`, type: "range", min, max, step: name === "log_flops" ? 0.01 : 0.05 });
  const page = {
    log_flops: slider("log_flops", RANGES.log_flops),
    log_served: slider("log_served", RANGES.log_served),
    flops: make("output", { for: `${key}-log_flops` }),
    served: make("output", { for: `${key}-log_served` }),
    svg: draw("svg", { role: "img" }),
    table: make("table", {}),
    verdict: make("p", { class: "verdict", role: "status" }),
  };
  const row = (name, text, output) =>
    make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, text), page[name], output);
  page.root = make(
    "div",
    { class: "llmcourse-explorer compute-budget", role: "group", "aria-label": "Compute budget" },
    row("log_flops", "Training budget", page.flops),
    row("log_served", "Tokens served", page.served),
    make("div", { class: "picture" }, page.svg),
    make("div", { class: "numbers" }, page.table),
    page.verdict,
  );
  return page;
}

// What the picture shows: log10 of parameters and of tokens.
const X = [7.5, 13];
const Y = [8.5, 15];

/** Return where a point stands in a picture of this width, and the picture's height. */
function frame(width) {
  const height = Math.max(240, Math.min(360, width * 0.56));
  const [left, right, top, bottom] = [46, 10, 10, 38];
  const x = (value) => left + ((Math.log10(value) - X[0]) / (X[1] - X[0])) * (width - left - right);
  const y = (value) => height - bottom - ((Math.log10(value) - Y[0]) / (Y[1] - Y[0])) * (height - top - bottom);
  return { width, height, left, right, top, bottom, x, y };
}

function path(points, { x, y }) {
  const inside = points.filter(([n, d]) => Number.isFinite(d) && n > 0 && d > 0);
  return "M" + inside.map(([n, d]) => `${x(n).toFixed(1)} ${y(d).toFixed(1)}`).join("L");
}

function drawAxes(at) {
  const parts = [];
  for (let power = Math.ceil(X[0]); power <= X[1]; power++) {
    const place = at.x(10 ** power);
    parts.push(draw("line", { class: "grid", x1: place, x2: place, y1: at.top, y2: at.height - at.bottom }));
    parts.push(draw("text", { x: place, y: at.height - at.bottom + 15, "text-anchor": "middle" }, short(10 ** power)));
  }
  for (let power = Math.ceil(Y[0]); power <= Y[1]; power++) {
    const place = at.y(10 ** power);
    parts.push(draw("line", { class: "grid", x1: at.left, x2: at.width - at.right, y1: place, y2: place }));
    parts.push(draw("text", { x: at.left - 6, y: place + 4, "text-anchor": "end" }, short(10 ** power)));
  }
  const middle = (at.left + at.width - at.right) / 2;
  parts.push(draw("text", { x: middle, y: at.height - 6, "text-anchor": "middle" }, "parameters"));
  return parts;
}

function drawPicture(svg, width, models, fit, solved) {
  const at = frame(width);
  const sizes = Array.from({ length: 111 }, (_, i) => 10 ** (X[0] + (i / 110) * (X[1] - X[0])));
  const { optimal, used } = solved;
  const best = Array.from({ length: 60 }, (_, i) => computeOptimal(10 ** (16 + i / 4), fit));
  const clip = `clip-${svg.parentNode.parentNode.querySelector("input").id}`;
  const box = { x: at.left, y: at.top, width: width - at.left - at.right, height: at.height - at.top - at.bottom };
  const inside = draw("g", { "clip-path": `url(#${clip})` });
  inside.append(
    draw("path", { class: "best", d: path(best.map(({ parameters, tokens }) => [parameters, tokens]), at) }),
    draw("path", { class: "budget", d: path(sizes.map((n) => [n, optimal.training / 6 / n]), at) }),
    draw("path", { class: "same", d: path(sizes.map((n) => [n, tokensForLoss(n, optimal.loss, fit)]), at) }),
  );
  for (const { name, parameters, tokens } of models) {
    const left = at.x(parameters) > width * 0.8;
    // Of two models that stand close, the lower has its name below.
    const close = (other) => Math.abs(at.x(other.parameters) - at.x(parameters)) < 60;
    const above = (other) => at.y(tokens) > at.y(other.tokens) && at.y(tokens) - at.y(other.tokens) < 18;
    const down = models.some((other) => close(other) && above(other));
    inside.append(
      draw("circle", { class: "model", cx: at.x(parameters), cy: at.y(tokens), r: 3.5 }),
      draw(
        "text",
        {
          class: "name",
          x: at.x(parameters) + (left ? -7 : 7),
          y: at.y(tokens) + (down ? 14 : -5),
          "text-anchor": left ? "end" : "start",
        },
        name,
      ),
    );
  }
  inside.append(draw("circle", { class: "optimal", cx: at.x(optimal.parameters), cy: at.y(optimal.tokens), r: 6 }));
  if (solved.served > 0) {
    const [cx, cy] = [at.x(used.parameters), at.y(used.tokens)];
    inside.append(draw("path", { class: "used", d: `M${cx} ${cy - 8}L${cx + 8} ${cy}L${cx} ${cy + 8}L${cx - 8} ${cy}Z` }));
  }
  svg.setAttribute("viewBox", `0 0 ${at.width} ${at.height}`);
  svg.setAttribute("height", at.height);
  svg.setAttribute(
    "aria-label",
    `Training tokens against parameters. The best split is ${short(optimal.parameters)} parameters and ` +
      `${short(optimal.tokens)} tokens; known models: ${models.map(({ name }) => name).join(", ") || "none"}.`,
  );
  svg.replaceChildren(draw("clipPath", { id: clip }, draw("rect", box)), ...drawAxes(at), inside);
  svg.append(draw("text", { class: "name", x: at.left + 5, y: at.top + 12 }, "training tokens"));
}

function fillTable(table, { served, optimal, used }) {
  const columns = [["Least training", "optimal", optimal], ["Least over its life", "used", used]];
  const head = make("tr", {}, make("td"));
  for (const [title, kind] of columns) head.append(make("th", { scope: "col", class: kind }, title));
  const rows = [
    ["parameters", (model) => short(model.parameters)],
    ["tokens", (model) => short(model.tokens)],
    ["tokens per parameter", (model) => short(model.tokens / model.parameters)],
    ["loss (nats per token)", (model) => model.loss.toFixed(4)],
    ["FLOP of training", (model) => scientific(model.training)],
    ["FLOP of training and use", (model) => scientific(model.lifetime)],
  ].map(([name, value]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, name),
      ...columns.map(([, kind, model]) => make("td", { "data-figure": `${kind} ${name}` }, value(model))),
    ),
  );
  table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  if (!(served > 0)) return "Nothing is served: both are the same model.";
  const saved = 1 - used.lifetime / optimal.lifetime;
  const smaller = optimal.parameters / used.parameters;
  return (
    `For the same loss, a model ${smaller.toFixed(2)} times smaller costs ` +
    `${(used.training / optimal.training).toFixed(2)} times as much to train and saves ` +
    `${(100 * saved).toFixed(1)}% over its life.`
  );
}

function render({ model, el }) {
  const [fit, models] = [model.get("constants"), model.get("models")];
  const page = buildPage();

  function update() {
    const [logFlops, logServed] = [model.get("log_flops"), model.get("log_served")];
    const solved = solve(logFlops, logServed, fit);
    page.log_flops.value = logFlops;
    page.log_served.value = logServed;
    page.flops.textContent = `${scientific(10 ** logFlops)} FLOP`;
    page.served.textContent = solved.served > 0 ? `${short(solved.served)} tokens` : "none";
    page.log_flops.setAttribute("aria-valuetext", page.flops.textContent);
    page.log_served.setAttribute("aria-valuetext", page.served.textContent);
    const width = Math.round(page.svg.parentNode.clientWidth) || 640;
    drawPicture(page.svg, width, models, fit, solved);
    page.verdict.textContent = fillTable(page.table, solved);
  }

  for (const name of ["log_flops", "log_served"]) {
    page[name].addEventListener("input", () => {
      model.set(name, Number(page[name].value));
      model.save_changes();
    });
    model.on(`change:${name}`, update);
  }
  // JupyterLab takes keys for its notebook: an arrow typed here moves a slider.
  page.root.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(page.root);
  update();
  // Text keeps its size when the page is narrow, so the picture is drawn anew.
  let drawn = page.svg.parentNode.clientWidth;
  const observer = new ResizeObserver(() => {
    if (page.svg.parentNode.clientWidth === drawn) return;
    drawn = page.svg.parentNode.clientWidth;
    update();
  });
  observer.observe(page.svg.parentNode);
  return () => {
    observer.disconnect();
    for (const name of ["log_flops", "log_served"]) model.off(`change:${name}`, update);
  };
}

export default { render };
