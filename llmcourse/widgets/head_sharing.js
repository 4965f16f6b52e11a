// The head-sharing explorer. Arithmetic first (tested against Python), then the page.

/** Bytes of a cache of keys and values. */
export function cacheBytes({ n_layers, n_kv_heads, head_dim, seq_len, batch_size, bytes_per_element }) {
  return 2 * n_layers * n_kv_heads * head_dim * seq_len * batch_size * bytes_per_element;
}

/** For each query head, the head of keys and values that it reads. */
export function groups(nHeads, nKvHeads) {
  return Array.from({ length: nHeads }, (_, head) => Math.floor(head / (nHeads / nKvHeads)));
}

/** How many heads of keys and values can serve so many query heads equally. */
export function divisors(nHeads) {
  return Array.from({ length: nHeads }, (_, i) => i + 1).filter((n) => nHeads % n === 0);
}

/** The most heads of keys and values that serve so many query heads equally, and are no more than wished. */
export function nearestAllowed(nHeads, wished) {
  return divisors(nHeads).filter((n) => n <= wished).at(-1);
}

/** What the arrangement is called. */
export function nameOf(nHeads, nKvHeads) {
  return nKvHeads === nHeads ? "MHA" : nKvHeads === 1 ? "MQA" : "GQA";
}

/** Bytes in GiB, MiB or KiB, of which there is one name each. */
export function formatBytes(bytes) {
  const [unit, size] = bytes >= 2 ** 30 ? ["GiB", 2 ** 30] : bytes >= 2 ** 20 ? ["MiB", 2 ** 20] : ["KiB", 2 ** 10];
  const value = bytes / size;
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${unit}`;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const HEADS = [1, 2, 4, 6, 8, 12, 16, 24, 28, 32, 40, 48, 64, 96, 128];
const LENGTHS = Array.from({ length: 11 }, (_, i) => 2 ** (i + 7));
let explorers = 0;

function buildPage() {
  const key = `head-sharing-${explorers++}`;
  const controls = {};
  const rows = [
    ["n_heads", "Query heads"],
    ["n_kv_heads", "KV heads"],
    ["seq_len", "Tokens"],
  ].map(([name, label]) => {
    const slider = make("input", { id: `${key}-${name}`, type: "range", min: 0, step: 1 });
    const output = make("output", { for: `${key}-${name}` });
    controls[name] = { slider, output };
    return make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, label), slider, output);
  });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const page = { controls, svg, figures: make("dl", { class: "figures", "aria-live": "polite" }), fixed: make("p", { class: "fixed" }) };
  page.root = make(
    "div",
    { class: "llmcourse-explorer head-sharing", role: "group", "aria-label": "Head-sharing explorer" },
    ...rows, page.svg, page.figures, page.fixed,
  );
  return page;
}

function drawHeads(svg, nHeads, nKvHeads) {
  const width = 640;
  const side = (count) => Math.min(22, (width / count) * 0.78);
  const x = (head) => ((head + 0.5) * width) / nHeads;
  const centre = (kv) => ((kv + 0.5) * width) / nKvHeads;
  svg.setAttribute("viewBox", `-64 0 ${width + 66} 126`);
  svg.setAttribute("role", "img");
  const each = nHeads / nKvHeads;
  const readers = each === 1 ? "each read by one query head" : `each read by ${each} query heads`;
  svg.setAttribute("aria-label", `${nKvHeads} heads of keys and values, ${readers}`);
  const box = (kind, at, y, wide) =>
    `<rect class="${kind}" x="${at - wide / 2}" y="${y}" width="${wide}" height="22" rx="3"/>`;
  const joined = groups(nHeads, nKvHeads);
  svg.innerHTML =
    joined.map((kv, head) => `<line x1="${x(head)}" y1="27" x2="${centre(kv)}" y2="68"/>`).join("") +
    joined.map((_, head) => box("query", x(head), 5, side(nHeads))).join("") +
    Array.from({ length: nKvHeads }, (_, kv) => box("key", centre(kv), 68, side(nKvHeads))).join("") +
    Array.from({ length: nKvHeads }, (_, kv) => box("value", centre(kv), 97, side(nKvHeads))).join("") +
    [["queries", 20], ["keys", 83], ["values", 112]]
      .map(([text, y]) => `<text x="-6" y="${y}" text-anchor="end">${text}</text>`)
      .join("");
}

function render({ model, el }) {
  const page = buildPage();
  const names = ["n_heads", "n_kv_heads", "n_layers", "head_dim", "seq_len", "batch_size", "bytes_per_element"];
  const given = { n_heads: model.get("n_heads"), seq_len: model.get("seq_len") };
  const choices = {
    n_heads: () => [...new Set([...HEADS, given.n_heads])].sort((a, b) => a - b),
    n_kv_heads: () => divisors(model.get("n_heads")),
    seq_len: () => [...new Set([...LENGTHS, given.seq_len])].sort((a, b) => a - b),
  };

  function draw() {
    const sizes = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    for (const [name, { slider, output }] of Object.entries(page.controls)) {
      const offered = choices[name]();
      const text = sizes[name].toLocaleString("en-US");
      slider.max = Math.max(1, offered.length - 1);
      slider.disabled = offered.length === 1;
      slider.value = offered.indexOf(sizes[name]);
      slider.setAttribute("aria-valuetext", text);
      output.textContent = text;
    }
    drawHeads(page.svg, sizes.n_heads, sizes.n_kv_heads);
    const perToken = cacheBytes({ ...sizes, seq_len: 1, batch_size: 1 });
    const figures = [
      ["arrangement", nameOf(sizes.n_heads, sizes.n_kv_heads)],
      ["cache", formatBytes(cacheBytes(sizes))],
      ["per token", formatBytes(perToken)],
      ["of MHA's", `1/${sizes.n_heads / sizes.n_kv_heads}`],
    ];
    page.figures.replaceChildren(
      ...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { "data-figure": name }, value))),
    );
    const sequences = sizes.batch_size === 1 ? "one sequence" : `${sizes.batch_size} sequences`;
    page.fixed.textContent =
      `${sizes.n_layers} layers, heads of ${sizes.head_dim} features, ${sequences}, ` +
      `${sizes.bytes_per_element} bytes for each number.`;
  }

  // What the reader chose last: other query heads may not allow it, and it comes back with those that do.
  let wished = model.get("n_kv_heads");

  function choose(name, index) {
    const chosen = choices[name]()[index];
    if (name === "n_kv_heads") wished = chosen;
    // In this order n_kv_heads divides n_heads at each moment that another listener sees.
    if (name === "n_heads") model.set("n_kv_heads", 1);
    model.set(name, chosen);
    if (name === "n_heads") model.set("n_kv_heads", nearestAllowed(chosen, wished));
    model.save_changes();
  }

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
