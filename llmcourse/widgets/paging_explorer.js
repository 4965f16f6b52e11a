// The paging explorer. Arithmetic first (tested against Python), then the page.

/** The blocks of both answers, and what stands in each: a list of owners, "" where a place is empty. */
export function layOut({ block_size: size, n_prompt, n_first, n_second }) {
  const blocks = [];
  const allocate = () => blocks.push(Array(size).fill("")) - 1;
  const shared = [];
  for (let place = 0; place < n_prompt; place++) {
    if (place % size === 0) shared.push(allocate());
    blocks[shared.at(-1)][place % size] = "prompt";
  }
  const tables = [[...shared], [...shared]];
  const write = (who, owner, count) => {
    const table = tables[who];
    for (let place = n_prompt; place < n_prompt + count; place++) {
      if (place % size === 0) {
        table.push(allocate());
      } else if (tables[1 - who].includes(table.at(-1))) {
        const copy = allocate(); // others read this block: copy on write
        blocks[copy] = [...blocks[table.at(-1)]];
        table[table.length - 1] = copy;
      }
      blocks[table.at(-1)][place % size] = owner;
    }
  };
  write(0, "first", n_first);
  write(1, "second", n_second);
  const empty = blocks.flat().filter((owner) => owner === "").length;
  return { tables, blocks, waste: empty / (blocks.length * size) };
}

/** Blocks that two answers without a common beginning would take. */
export function unshared({ block_size, n_prompt, n_first, n_second }) {
  return Math.ceil((n_prompt + n_first) / block_size) + Math.ceil((n_prompt + n_second) / block_size);
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SLIDERS = [
  ["block_size", "Tokens in a block", 1, 16],
  ["n_prompt", "Prompt", 1, 40],
  ["n_first", "Answer A", 0, 24],
  ["n_second", "Answer B", 0, 24],
];
const NAMES = ["A", "B"];
let explorers = 0;

function buildPage() {
  const key = `paging-explorer-${explorers++}`;
  const controls = {};
  const rows = SLIDERS.map(([name, label, min, max]) => {
    const slider = make("input", { id: `${key}-${name}`, type: "range", min, max, step: 1 });
    const output = make("output", { for: `${key}-${name}` });
    controls[name] = { slider, output };
    return make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, label), slider, output);
  });
  const page = {
    controls,
    blocks: make("div", { class: "blocks", role: "img" }),
    figures: make("dl", { class: "figures", "aria-live": "polite" }),
  };
  page.root = make(
    "div",
    { class: "llmcourse-explorer paging-explorer", role: "group", "aria-label": "Paging explorer" },
    ...rows, page.blocks, page.figures,
  );
  return page;
}

function drawBlocks(place, { tables, blocks }) {
  place.setAttribute("aria-label", tables.map((table, who) => `${NAMES[who]} holds blocks ${table.join(", ")}`).join("; "));
  place.replaceChildren(
    ...blocks.map((owners, number) => {
      const holders = NAMES.filter((_, who) => tables[who].includes(number)).join(" and ");
      const cells = owners.map((owner) => make("span", { class: `place ${owner || "empty"}` }));
      return make("div", { class: "block" }, make("small", {}, `${number}: ${holders}`), make("div", { class: "places" }, ...cells));
    }),
  );
}

function render({ model, el }) {
  const page = buildPage();
  const names = SLIDERS.map(([name]) => name);

  function draw() {
    const sizes = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const found = layOut(sizes);
    for (const [name, { slider, output }] of Object.entries(page.controls)) {
      slider.value = sizes[name];
      slider.setAttribute("aria-valuetext", String(sizes[name]));
      output.textContent = String(sizes[name]);
    }
    drawBlocks(page.blocks, found);
    const figures = [
      ["blocks held", String(found.blocks.length)],
      ["without sharing", String(unshared(sizes))],
      ["of their places empty", `${(100 * found.waste).toFixed(0)}%`],
      ["tokens of A and B", `${sizes.n_prompt + sizes.n_first} and ${sizes.n_prompt + sizes.n_second}`],
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
