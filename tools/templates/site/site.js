// What the pages do beyond HTML: tell whether a guess was right, keep the score, find, sort. All of it is optional.
"use strict";

const KEPT = "trapsheet.guesses";

function guesses() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) || "{}");
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {};  // what another page has left there, or a browser that keeps nothing
  }
}

function keep(all) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(all));
  } catch {
    // the guess counts on this page alone
  }
}

// Tell what became of the answer that is chosen. A guess counts once: the first, made before the answer was shown.
function settle(trap, shown) {
  const chosen = trap.querySelector("input[type=radio]:checked");
  if (!chosen || !trap.querySelector("details.reveal").open) return;
  const right = chosen.value === "right";
  const fate = chosen.parentElement.querySelector(".fate").textContent;
  trap.querySelector(".told").textContent = right ? `You were right: ${fate}` : `Not that one: ${fate}`;
  if (shown) return;
  const all = guesses();
  if (!(trap.dataset.trap in all)) {
    all[trap.dataset.trap] = right ? 1 : 0;
    keep(all);
  }
  score();
}

function score() {
  const all = guesses();
  for (const place of document.querySelectorAll(".score")) {
    const traps = place.dataset.traps.trim().split(/\s+/);
    const made = traps.filter((trap) => trap in all);
    const right = made.filter((trap) => all[trap] === 1).length;
    place.textContent = made.length ? `${right} of ${made.length} right, of ${traps.length}` : "";
    place.hidden = !made.length;
  }
}

for (const trap of document.querySelectorAll(".trap")) {
  trap.querySelector("details.reveal").addEventListener("toggle", () => settle(trap, false));
  trap.addEventListener("change", () => settle(trap, true));
}

for (const tools of document.querySelectorAll(".tools")) tools.hidden = false;

const everything = document.querySelector("button.everything");
everything?.addEventListener("click", () => {
  for (const details of document.querySelectorAll("main details")) details.open = true;
});

document.querySelector("button.any")?.addEventListener("click", () => {
  const all = guesses();
  const traps = document.querySelector(".score").dataset.traps.trim().split(/\s+/);
  const left = traps.filter((trap) => !(trap in all));
  const from = left.length ? left : traps;
  location.href = `${from[Math.floor(Math.random() * from.length)]}.html`;
});

document.querySelector("button.forget")?.addEventListener("click", () => {
  keep({});
  score();
});

// An anchor within what is not shown yet: show it.
function follow() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const hidden = target && target.closest("details:not([open])");
  if (hidden) {
    hidden.open = true;
    target.scrollIntoView();
  }
}

addEventListener("hashchange", follow);
follow();

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details.reveal")) details.open = true;
});

// Search: a word finds what begins with it. Entries that hold more of the words come first, then titles.
const SHOWN = 12;
const GREEK = { α: "alpha", β: "beta", γ: "gamma", ε: "eps", μ: "mu", σ: "sigma" };
const search = document.querySelector(".find");
if (search && typeof TRAPS !== "undefined") {
  const box = search.querySelector("input");
  const found = search.querySelector("ul");
  const spelt = (text) => text.toLowerCase().replace(/[α-ω]/g, (letter) => GREEK[letter] ?? letter);
  const split = (text) => spelt(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const entries = TRAPS.map((trap) => ({
    trap,
    title: split(trap.title),
    all: split([trap.title, trap.area, trap.asks, trap.slug, ...trap.terms].join(" ")),
  }));
  const held = (words, all) => words.filter((word) => all.some((other) => other.startsWith(word))).length;
  search.hidden = false;
  box.addEventListener("input", () => {
    const words = split(box.value);
    const most = Math.max(0, ...entries.map((entry) => held(words, entry.all)));
    const hits = most ? entries.filter((entry) => held(words, entry.all) === most) : [];
    hits.sort((a, b) => held(words, b.title) - held(words, a.title));
    found.replaceChildren(...hits.slice(0, SHOWN).map(({ trap }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `${trap.slug}.html`;
      link.textContent = trap.title;
      item.append(link, ` ${trap.asks}`);
      return item;
    }));
    let said = "";
    if (words.length && !hits.length) said = "No trap holds these words.";
    if (hits.length > SHOWN) said = `${SHOWN} of ${hits.length}; another word finds fewer.`;
    if (said) found.append(Object.assign(document.createElement("li"), { textContent: said }));
  });
}

// A column by which a table may be sorted: its head becomes a button.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
      const order = (a, b) => key(a).localeCompare(key(b), "en", { numeric: true });
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => {
        const numbers = [key(a), key(b)].map(Number);
        const way = numbers.some(Number.isNaN) ? order(a, b) : numbers[0] - numbers[1];
        return down ? -way : way;
      });
      body.append(...rows);
    });
  });
}

score();
