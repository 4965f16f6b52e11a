// The BPE player. Arithmetic first (tested against Python), then the page.

// GPT-2's pattern. \s means different characters in JavaScript, in Python and in Unicode, hence the property.
const GPT2 =
  /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const RADIX = 2 ** 22;

/** Cut a text into pre-tokens. */
export function pretokenize(text) {
  return text.toWellFormed().match(GPT2) ?? [];
}

/** From pairs of ids to what encoding looks up: the bytes of each id, and the rank and result of each pair. */
export function buildTable(pairs) {
  const bytes = Array.from({ length: 256 }, (_, byte) => [byte]);
  const idOf = new Map(bytes.map((token, id) => [String(token), id]));
  const ranks = new Map();
  pairs.forEach(([left, right], rank) => {
    const token = [...bytes[left], ...bytes[right]];
    bytes.push(token);
    if (!idOf.has(String(token))) idOf.set(String(token), 256 + rank);
    const key = left * RADIX + right;
    if (!ranks.has(key)) ranks.set(key, { rank, id: idOf.get(String(token)) });
  });
  return { bytes, ranks };
}

/** Encode one pre-token with the merges below `limit`, lowest rank first, leftmost first; report each merge made. */
export function encodeWord(word, table, limit = Infinity, onMerge = () => {}) {
  const ids = Array.from(new TextEncoder().encode(word));
  for (;;) {
    let best = null;
    let at = 0;
    for (let i = 0; i + 1 < ids.length; i++) {
      const found = table.ranks.get(ids[i] * RADIX + ids[i + 1]);
      if (found && found.rank < (best?.rank ?? limit)) [best, at] = [found, i];
    }
    if (!best) return ids;
    ids.splice(at, 2, best.id);
    onMerge(best.rank);
  }
}

/** How many tokens a text has after 0, 1, 2, ... merges, from one pass over its distinct words. */
export function tokenCounts(words, table, nMerges) {
  const saved = new Array(nMerges).fill(0);
  const times = new Map();
  for (const word of words) times.set(word, (times.get(word) ?? 0) + 1);
  let total = 0;
  for (const [word, count] of times) {
    let reached = 0;
    total += count * new TextEncoder().encode(word).length;
    // With fewer merges encoding stops at the first merge it lacks: a merge counts from the highest rank so far.
    encodeWord(word, table, nMerges, (rank) => {
      reached = Math.max(reached, rank);
      saved[reached] += count;
    });
  }
  const counts = [total];
  for (const made of saved) counts.push((total -= made));
  return counts;
}

/** Split a token's bytes into runs to show: text, spaces, control characters, and bytes that are no whole character. */
export function describeBytes(bytes) {
  const runs = [];
  const add = (kind, text) => {
    if (runs.at(-1)?.kind === kind) runs.at(-1).text += (kind === "byte" ? " " : "") + text;
    else runs.push({ kind, text });
  };
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let i = 0; i < bytes.length; ) {
    const length = bytes[i] < 0x80 ? 1 : bytes[i] < 0xe0 ? 2 : bytes[i] < 0xf0 ? 3 : 4;
    let char = null;
    try {
      char = strict.decode(new Uint8Array(bytes.slice(i, i + length)));
    } catch {
      add("byte", bytes[i].toString(16).toUpperCase().padStart(2, "0"));
      i += 1;
      continue;
    }
    if (char === " ") add("space", "␣");
    else if (char === "\n") add("space", "⏎");
    else if (bytes[i] < 0x20) add("space", String.fromCodePoint(0x2400 + bytes[i]));
    else add("text", char);
    i += length;
  }
  return runs;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function makeChip(id, bytes, isNew) {
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const chip = make("span", { class: "chip", role: "listitem", title: `token ${id}, bytes ${hex}` });
  if (bytes.length > 1) chip.dataset.hue = (id * 5) % 6;
  if (isNew) chip.dataset.new = "";
  for (const { kind, text } of describeBytes(bytes)) chip.append(make("span", { class: kind }, text));
  return chip;
}

let players = 0;

function buildPage(nMerges) {
  const key = `bpe-player-${players++}`;
  const button = (text, title) => make("button", { type: "button", title }, text);
  const page = {
    text: make("textarea", { id: `${key}-text`, rows: 3, maxlength: 2000, spellcheck: "false" }),
    back: button("Back", "to the last merge before this one that changes the text"),
    play: button("Play", "go on by itself"),
    next: button("Next", "to the next merge that changes the text"),
    slider: make("input", { id: `${key}-merges`, type: "range", min: 0, max: nMerges, step: 1 }),
    count: make("output", { class: "count", for: `${key}-merges` }),
    merge: make("p", { class: "merge", role: "status" }),
    tokens: make("div", { class: "tokens", role: "list", "aria-label": "The tokens of your text" }),
    figures: make("dl", { class: "figures" }),
    curve: document.createElementNS("http://www.w3.org/2000/svg", "svg"),
  };
  page.root = make(
    "div",
    { class: "llmcourse-explorer bpe-player", role: "group", "aria-label": "BPE player" },
    make("label", { for: `${key}-text` }, "Your text"),
    page.text,
    make(
      "div",
      { class: "controls" },
      make("span", { class: "buttons" }, page.back, page.play, page.next),
      make("label", { for: `${key}-merges` }, "Merges"),
      page.slider,
      page.count,
    ),
    page.merge,
    page.tokens,
    make("div", { class: "result" }, page.figures, make("div", { class: "curve" }, page.curve, "tokens after each merge")),
  );
  return page;
}

function drawCurve(svg, counts, at) {
  const [width, height, top] = [240, 56, counts[0] || 1];
  const x = (n) => (counts.length > 1 ? (n / (counts.length - 1)) * width : 0);
  const y = (n) => height - (n / top) * (height - 4);
  svg.setAttribute("viewBox", `-4 -2 ${width + 8} ${height + 4}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Tokens against merges: from ${counts[0]} down to ${counts.at(-1)}`);
  const points = counts.map((count, n) => `${x(n).toFixed(1)},${y(count).toFixed(1)}`).join(" ");
  svg.innerHTML =
    `<line class="axis" x1="0" x2="${width}" y1="${height}" y2="${height}"/>` +
    `<polyline points="${points}"/><circle cx="${x(at)}" cy="${y(counts[at])}" r="4"/>`;
}

function render({ model, el }) {
  const pairs = model.get("pairs");
  const table = buildTable(pairs);
  const page = buildPage(pairs.length);
  let words = [];
  let counts = [0];
  let timer = null;

  function drawMerge(n) {
    page.merge.replaceChildren();
    if (n === 0) return page.merge.append("No merge yet: every byte is a token.");
    const [left, right] = pairs[n - 1];
    const made = counts[n - 1] - counts[n];
    const times = made === 0 ? "nowhere in this text" : made === 1 ? "once in this text" : `${made} times in this text`;
    const [a, b, result] = [left, right, 255 + n].map((id) => {
      const chip = makeChip(id, table.bytes[id], id === 255 + n && made > 0);
      chip.removeAttribute("role");
      return chip;
    });
    page.merge.append(`Merge ${n}: `, a, " + ", b, " → ", result, ` ${times}`);
  }

  function drawTokens(n) {
    let total = 0;
    const groups = words.map((word) => {
      const ids = encodeWord(word, table, n);
      total += ids.length;
      const chips = ids.map((id) => makeChip(id, table.bytes[id], n > 0 && id === 255 + n));
      return make("span", { class: "word", role: "presentation" }, ...chips);
    });
    page.tokens.replaceChildren(...groups);
    page.tokens.hidden = groups.length === 0;
    if (page.tokens.scrollHeight > page.tokens.clientHeight) page.tokens.tabIndex = 0;
    else page.tokens.removeAttribute("tabindex");
    const figures = [
      ["tokens", String(total)],
      ["bytes", String(counts[0])],
      ["bytes per token", total ? (counts[0] / total).toFixed(2) : "–"],
    ];
    page.figures.replaceChildren(
      ...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { "data-figure": name }, value))),
    );
  }

  function draw() {
    const n = model.get("n_merges");
    page.slider.value = n;
    page.count.textContent = `${n} of ${pairs.length}`;
    page.slider.setAttribute("aria-valuetext", `${n} of ${pairs.length} merges`);
    drawMerge(n);
    drawTokens(n);
    drawCurve(page.curve, counts, n);
    page.back.disabled = nextChange(-1) === null;
    page.next.disabled = page.play.disabled = nextChange(1) === null;
    if (page.play.disabled) stop();
  }

  function read() {
    const text = model.get("text");
    if (page.text.value !== text) page.text.value = text;
    words = pretokenize(text);
    counts = tokenCounts(words, table, pairs.length);
    draw();
  }

  function nextChange(direction) {
    for (let n = model.get("n_merges") + direction; n >= 0 && n <= pairs.length; n += direction) {
      if (n === 0 || counts[n] < counts[n - 1]) return n;
    }
    return null;
  }

  function go(n) {
    if (n === null) return;
    model.set("n_merges", n);
    model.save_changes();
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    page.play.textContent = "Play";
  }

  function toggle() {
    if (timer !== null) return stop();
    page.play.textContent = "Pause";
    timer = setInterval(() => (page.root.isConnected ? go(nextChange(1)) : stop()), 700);
  }

  page.text.addEventListener("input", () => {
    model.set("text", page.text.value);
    model.save_changes();
  });
  page.slider.addEventListener("input", () => go(Number(page.slider.value)));
  page.back.addEventListener("click", () => go(nextChange(-1)));
  page.next.addEventListener("click", () => go(nextChange(1)));
  page.play.addEventListener("click", toggle);
  // JupyterLab takes keys for its notebook: an arrow or a letter typed here is not meant for it.
  page.root.addEventListener("keydown", (event) => event.stopPropagation());
  model.on("change:text", read);
  model.on("change:n_merges", draw);
  el.append(page.root);
  read();
  return () => {
    stop();
    model.off("change:text", read);
    model.off("change:n_merges", draw);
  };
}

export default { render };
