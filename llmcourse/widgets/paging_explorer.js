// The paging explorer. Arithmetic first (tested against Python), then the page.

export const BLOCK_SIZES = [1, 2, 4, 8, 16];
export const N_PLACES = 64;
export const MAX_LEN = 32;
const plural = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The memory before any request: for each block its holders and what stands in its places. */
function emptyMemory(size) {
  const n = N_PLACES / size;
  return {
    size,
    tables: {}, // by request: its blocks in order, and how many tokens it has
    references: Array(n).fill(0),
    places: Array.from({ length: n }, () => Array(size).fill("")), // who wrote each token
    free: Array.from({ length: n }, (_, i) => n - 1 - i), // the next to be given out is the last
    names: 0,
  };
}

function take(memory) {
  const block = memory.free.pop();
  memory.references[block] = 1;
  return block;
}

function release(memory, block) {
  memory.references[block] -= 1;
  if (memory.references[block] > 0) return false;
  memory.places[block].fill("");
  memory.free.push(block);
  return true;
}

/** Write tokens for a request, for all of them or for none. */
function extend(memory, name, count) {
  const { size, references, places } = memory;
  const table = memory.tables[name];
  if (table.n_tokens + count > MAX_LEN) return { refused: `a request has at most ${MAX_LEN} tokens` };
  const copies = table.n_tokens % size > 0 && references[table.blocks.at(-1)] > 1;
  const needed = Math.ceil((table.n_tokens + count) / size) - table.blocks.length + (copies ? 1 : 0);
  const left = memory.free.length;
  if (needed > left) return { refused: `it needs ${plural(needed, "more block")}, and ${left} ${left === 1 ? "is" : "are"} free` };
  const event = { copied: null, taken: [] };
  if (copies) {
    const [from, to] = [table.blocks.at(-1), take(memory)];
    places[to] = [...places[from]];
    references[from] -= 1;
    table.blocks[table.blocks.length - 1] = to;
    event.copied = { from, to };
  }
  for (let i = 0; i < count; i++, table.n_tokens++) {
    const place = table.n_tokens % size;
    if (place === 0) {
      table.blocks.push(take(memory));
      event.taken.push(table.blocks.at(-1));
    }
    places[table.blocks.at(-1)][place] = name;
  }
  return event;
}

const ACTIONS = {
  add(memory, _, count) {
    const name = LETTERS[memory.names++];
    memory.tables[name] = { blocks: [], n_tokens: 0 };
    const event = extend(memory, name, count);
    if (event.refused) delete memory.tables[name];
    return { name, count, ...event };
  },
  append(memory, name, count) {
    return { name, count, ...(memory.tables[name] ? extend(memory, name, count) : { refused: `${name} is not open` }) };
  },
  fork(memory, parent) {
    const name = LETTERS[memory.names++];
    const table = memory.tables[parent];
    if (!table) return { name, parent, refused: `${parent} is not open` };
    table.blocks.forEach((block) => (memory.references[block] += 1));
    memory.tables[name] = { blocks: [...table.blocks], n_tokens: table.n_tokens };
    return { name, parent, shared: table.blocks.length };
  },
  free(memory, name) {
    const table = memory.tables[name];
    if (!table) return { name, refused: `${name} is not open` };
    const freed = [...table.blocks].reverse().filter((block) => release(memory, block));
    delete memory.tables[name];
    return { name, freed: freed.reverse(), kept: table.blocks.length - freed.length };
  },
};

/** Take steps such as "add 10", "append A 3", "fork A", "free A"; the memory after them and what the last one did. */
export function replay(steps, size) {
  const memory = emptyMemory(size);
  let event = null;
  for (const step of steps) {
    const [kind, ...words] = step.split(" ");
    const [name, count] = kind === "add" ? [null, words[0]] : words;
    event = { kind, ...ACTIONS[kind](memory, name, Number(count)) };
  }
  return { ...memory, event };
}

/** Blocks that are held, shares that hold nothing, and what contiguous memory would reserve. */
export function measure({ tables, references, places, size }) {
  const held = references.filter((count) => count > 0).length;
  const lengths = Object.values(tables).map(({ n_tokens }) => n_tokens);
  const filled = places.flat().filter((writer) => writer !== "").length;
  const reserved = MAX_LEN * lengths.length;
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  return {
    held, tokens, reserved,
    waste: held ? 1 - filled / (held * size) : 0,
    contiguousWaste: reserved ? 1 - tokens / reserved : 0,
  };
}

const listed = (blocks) => `block${blocks.length === 1 ? "" : "s"} ${blocks.join(", ")}`;

/** What a step did, in words. */
export function describe(event) {
  if (!event) return "No request has come yet: all blocks are free.";
  const { kind, name, count } = event;
  if (event.refused) return `Refused, and nothing has changed: ${event.refused}.`;
  if (kind === "add") return `${name} comes with ${plural(count, "token")} and takes ${listed(event.taken)}.`;
  if (kind === "fork") {
    const tokens = event.shared === 1 ? "its block has" : `its ${event.shared} blocks have`;
    return `${name} forks from ${event.parent} and takes no block: ${tokens} one more holder.`;
  }
  if (kind === "free") {
    const freed = event.freed.length ? `${listed(event.freed)} free again` : "no block becomes free";
    return `${name} ends: ${freed}${event.kept ? `, and ${plural(event.kept, "block")} stay${event.kept === 1 ? "s" : ""} with others` : ""}.`;
  }
  const parts = [];
  if (event.copied) parts.push(`others read block ${event.copied.from}, so it takes a copy, block ${event.copied.to}`);
  if (event.taken.length) parts.push(`it takes ${listed(event.taken)}`);
  return `${name} writes ${plural(count, "token")}: ${parts.join("; ") || "there is room in its last block"}.`;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const MOST_STEPS = 60;
let explorers = 0;

function buildPage() {
  const key = `paging-explorer-${explorers++}`;
  const controls = {};
  const row = (name, label, max) => {
    const slider = make("input", { id: `${key}-${name}`, type: "range", min: 0, max, step: 1 });
    const output = make("output", { for: `${key}-${name}` });
    controls[name] = { slider, output };
    return make("div", { class: "control" }, make("label", { for: `${key}-${name}` }, label), slider, output);
  };
  const button = (text) => make("button", { type: "button" }, text);
  const page = {
    controls,
    status: make("p", { class: "status", role: "status" }),
    request: make("select", { id: `${key}-request` }),
    count: make("input", { id: `${key}-count`, type: "number", min: 1, max: MAX_LEN, value: 3 }),
    buttons: { add: button("Add a request"), append: button("Write"), fork: button("Fork"), free: button("End") },
    tables: make("div", { class: "tables" }),
    blocks: make("div", { class: "blocks", role: "img" }),
    figures: make("dl", { class: "figures", "aria-live": "polite" }),
  };
  const { add, append, fork, free } = page.buttons;
  const actions = make(
    "div",
    { class: "actions", role: "group", "aria-label": "Next step" },
    make("span", {}, make("label", { for: `${key}-count` }, "Tokens"), page.count, add),
    make("span", {}, make("label", { for: `${key}-request` }, "Request"), page.request, append, fork, free),
  );
  page.root = make(
    "div",
    { class: "llmcourse-explorer paging-explorer", role: "group", "aria-label": "Paging explorer" },
    row("step", "Steps taken", 0), row("block_size", "Places in a block", BLOCK_SIZES.length - 1),
    page.status, actions, page.tables, page.blocks, page.figures,
  );
  return page;
}

const hue = (name) => `--hue: var(--hue-${LETTERS.indexOf(name) % 6})`;

function drawTables(place, { tables, event }) {
  const rows = Object.entries(tables).map(([name, { blocks, n_tokens }]) => {
    const chips = blocks.map((block, i) => {
      const isNew = event?.name === name && (event.copied?.to === block || event.taken?.includes(block));
      return make("span", { class: isNew ? "chip new" : "chip" }, make("small", {}, `${i} →`), ` ${block}`);
    });
    const title = make("span", { class: "name", style: hue(name) }, name);
    return make("div", { class: "request" }, title, make("span", { class: "length" }, plural(n_tokens, "token")), ...chips);
  });
  place.replaceChildren(...(rows.length ? rows : [make("p", { class: "none" }, "no request is open")]));
}

function drawBlocks(place, { references, places, tables }) {
  const text = Object.entries(tables).map(([name, { blocks }]) => `${name} lies in blocks ${blocks.join(", ")}`);
  place.setAttribute("aria-label", `${references.length} blocks of memory. ${text.join("; ")}`);
  place.replaceChildren(
    ...references.map((count, block) => {
      const cells = places[block].map((writer) =>
        make("span", writer ? { class: "place", style: hue(writer) } : { class: "place empty" }, writer),
      );
      const kind = count > 1 ? "block shared" : count ? "block" : "block unheld";
      const title = make("small", {}, String(block), count ? make("b", {}, ` ×${count}`) : "");
      return make("div", { class: kind }, title, make("div", { class: "places" }, ...cells));
    }),
  );
}

function render({ model, el }) {
  const page = buildPage();
  const names = ["steps", "step", "block_size"];
  let memory;

  function draw() {
    const [steps, step, size] = names.map((name) => model.get(name));
    memory = replay(steps.slice(0, step), size);
    page.controls.step.slider.max = steps.length;
    for (const [name, value, text] of [
      ["step", step, `${step} of ${steps.length}`],
      ["block_size", BLOCK_SIZES.indexOf(size), String(size)],
    ]) {
      const { slider, output } = page.controls[name];
      slider.value = value;
      slider.setAttribute("aria-valuetext", text);
      output.textContent = text;
    }
    page.status.textContent = describe(memory.event);
    page.status.classList.toggle("refused", Boolean(memory.event?.refused));
    const open = Object.keys(memory.tables);
    const chosen = open.includes(page.request.value) ? page.request.value : open.at(-1);
    page.request.replaceChildren(...open.map((name) => make("option", { value: name }, name)));
    if (chosen) page.request.value = chosen;
    const isFull = step >= MOST_STEPS;
    const noName = memory.names >= LETTERS.length;
    page.buttons.add.disabled = isFull || noName;
    page.buttons.fork.disabled = isFull || noName || !open.length;
    page.buttons.append.disabled = page.buttons.free.disabled = isFull || !open.length;
    drawTables(page.tables, memory);
    drawBlocks(page.blocks, memory);
    const found = measure(memory);
    const figures = [
      ["places held, paged", `${found.held * size} of ${N_PLACES}`],
      ["of these empty", `${(100 * found.waste).toFixed(1)}%`],
      [`contiguous, ${MAX_LEN} for each`, `${found.reserved} of ${N_PLACES}`],
      ["of those empty", `${(100 * found.contiguousWaste).toFixed(1)}%`],
    ];
    page.figures.replaceChildren(
      ...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { "data-figure": name }, value))),
    );
  }

  /** Go on from here: steps that stood after this place are forgotten. */
  function go(text) {
    const steps = [...model.get("steps").slice(0, model.get("step")), text];
    model.set("steps", steps);
    model.set("step", steps.length);
    model.save_changes();
  }

  const tokens = () => Math.min(MAX_LEN, Math.max(1, Math.round(Number(page.count.value)) || 1));
  page.buttons.add.addEventListener("click", () => go(`add ${tokens()}`));
  page.buttons.append.addEventListener("click", () => go(`append ${page.request.value} ${tokens()}`));
  page.buttons.fork.addEventListener("click", () => go(`fork ${page.request.value}`));
  page.buttons.free.addEventListener("click", () => go(`free ${page.request.value}`));
  const choose = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const { step, block_size } = page.controls;
  step.slider.addEventListener("input", () => choose("step", Number(step.slider.value)));
  block_size.slider.addEventListener("input", () => choose("block_size", BLOCK_SIZES[Number(block_size.slider.value)]));
  // JupyterLab takes keys for its notebook: an arrow typed here is not meant for it.
  page.root.addEventListener("keydown", (event) => event.stopPropagation());
  const events = names.map((name) => `change:${name}`);
  events.forEach((event) => model.on(event, draw));
  el.append(page.root);
  draw();
  return () => events.forEach((event) => model.off(event, draw));
}

export default { render };
