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

// A guess counts once: the first that was open when the answer was shown.
function settle(trap) {
  const chosen = trap.querySelector("input[type=radio]:checked");
  const told = trap.querySelector(".told");
  if (!chosen || !trap.querySelector("details.reveal").open) return;
  const right = chosen.value === "right";
  told.textContent = right ? "You were right." : "That one is refuted.";
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
  trap.querySelector("details.reveal").addEventListener("toggle", () => settle(trap));
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

// Search: every word of the question has to begin a word of the entry; titles come before the rest.
const search = document.querySelector(".find");
if (search && typeof TRAPS !== "undefined") {
  const box = search.querySelector("input");
  const found = search.querySelector("ul");
  const split = (text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const entries = TRAPS.map((trap) => ({
    trap,
    title: split(trap.title),
    all: split([trap.title, trap.area, trap.asks, trap.slug, ...trap.terms].join(" ")),
  }));
  const holds = (words, all) => words.every((word) => all.some((other) => other.startsWith(word)));
  search.hidden = false;
  box.addEventListener("input", () => {
    const words = split(box.value);
    const hits = words.length ? entries.filter((entry) => holds(words, entry.all)) : [];
    hits.sort((a, b) => holds(words, b.title) - holds(words, a.title));
    found.replaceChildren(...hits.slice(0, 12).map(({ trap }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `${trap.slug}.html`;
      link.textContent = trap.title;
      item.append(link, ` ${trap.asks}`);
      return item;
    }));
    if (words.length && !hits.length) found.append(Object.assign(document.createElement("li"), { textContent: "No trap holds these words." }));
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
