// What people enter. Entries go to the server in order; text waits for a short pause in typing.

import { ask } from "./dialogs.js";
import { tell } from "./server.js";

const PAUSE = 120;
// Of a list of options, in pixels: between it and its field, to the window's edge, at most.
const [GAP, EDGE, TALLEST] = [4, 12, 232];
let line = Promise.resolve();
const waiting = new Map();

export function where(element) {
  const surface = element.closest("[data-surface]").dataset.surface;
  return { surface, block: element.dataset.block, action: element.dataset.action };
}

function queue(deed, sent) {
  line = line.then(() => tell(deed, sent));
  return line;
}

function valueOf(element) {
  const { entry, type } = element.dataset;
  if (entry === "ticks") {
    const ticked = [...element.querySelectorAll("input:checked")].map((box) => box.value);
    return type === "checkboxes" ? ticked : ticked[0] ?? null;
  }
  if (entry !== "combobox") return element.value;
  if (!element.hasAttribute("data-many")) return element.dataset.value ?? null;
  return [...element.querySelectorAll(".chip")].map((chip) => chip.dataset.value);
}

export function enter(element, { quiet = false } = {}) {
  const job = waiting.get(element);
  if (job) clearTimeout(job.timer);
  waiting.delete(element);
  if (!element.isConnected) return line;
  return queue("enter", { ...where(element), value: valueOf(element), quiet });
}

// Sends what has been typed but not sent yet; resolves once the server has all of it.
export async function flush(surface) {
  for (const [element, job] of [...waiting]) {
    if (element.isConnected && surface.contains(element)) enter(element, job);
  }
  await line;
}

function typed(element) {
  const job = waiting.get(element);
  if (job) clearTimeout(job.timer);
  const quiet = element.dataset.dispatch === "enter";
  const timer = setTimeout(() => enter(element, { quiet }), PAUSE);
  waiting.set(element, { timer, quiet });
}

async function changed(element) {
  if (element.dataset.confirm && !(await ask(element.dataset.confirm))) return putBack(element);
  element.dataset.before = JSON.stringify(valueOf(element));
  return enter(element);
}

function putBack(element) {
  const before = JSON.parse(element.dataset.before ?? "null");
  if (element.matches("select")) element.value = before ?? "";
  for (const box of element.querySelectorAll("input[type=checkbox], input[type=radio]")) {
    box.checked = [before].flat().includes(box.value);
  }
}

// Type-ahead --------------------------------------------------------------------------------

const parts = (combo) => ({
  box: combo.querySelector("input"),
  popup: combo.querySelector("[role=listbox]"),
  options: [...combo.querySelectorAll("[role=option]")],
});

export function closePopup(combo) {
  const { box, popup } = parts(combo);
  clearTimeout(combo.timer);
  popup.hidden = true;
  combo.asked = null;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

async function search(combo) {
  const { box, popup } = parts(combo);
  const query = box.dataset.typed ? box.value : "";
  combo.asked = query;
  if (query.length < Number(combo.dataset.least)) {
    const more = Number(combo.dataset.least) - query.length;
    return showOptions(combo, [], `Type ${more} more character${more > 1 ? "s" : ""} to search`);
  }
  if (popup.hidden) showOptions(combo, [], "Searching…");
  const answer = await tell("suggest", { ...where(combo), query });
  if (combo.asked !== query) return;
  showOptions(combo, answer.options ?? [], "Nothing matches");
}

function showOptions(combo, options, otherwise) {
  const { box, popup } = parts(combo);
  const chosen = [valueOf(combo)].flat();
  popup.replaceChildren();
  options.forEach(({ value, label, about }, at) => {
    const row = document.createElement("li");
    row.id = `${popup.id}-${at}`;
    row.setAttribute("role", "option");
    row.dataset.choice = value;
    row.setAttribute("aria-selected", String(chosen.includes(value)));
    row.append(Object.assign(document.createElement("span"), { textContent: label }));
    if (about) row.append(Object.assign(document.createElement("small"), { textContent: about }));
    row.dataset.label = label;
    popup.append(row);
  });
  if (!options.length) {
    popup.append(Object.assign(document.createElement("li"), { className: "none", textContent: otherwise }));
  }
  popup.hidden = false;
  place(combo);
  box.setAttribute("aria-expanded", "true");
  activate(combo, options.length ? 0 : -1);
}

// Beside its field in the window, below or above: no dialog's edge cuts it.
function place(combo) {
  const { popup } = parts(combo);
  const { left, width, top, bottom } = combo.getBoundingClientRect();
  popup.style.maxHeight = "";
  const room = innerHeight - bottom - EDGE;
  const above = room < popup.offsetHeight && top - EDGE > room;
  Object.assign(popup.style, {
    left: `${left}px`,
    width: `${width}px`,
    top: above ? "auto" : `${bottom + GAP}px`,
    bottom: above ? `${innerHeight - top + GAP}px` : "auto",
    maxHeight: `${Math.min(TALLEST, above ? top - EDGE : room)}px`,
  });
}

function replace() {
  for (const popup of document.querySelectorAll(".combobox .options:not([hidden])")) {
    place(popup.closest(".combobox"));
  }
}

function activate(combo, at) {
  const { box, options } = parts(combo);
  options.forEach((option, index) => option.classList.toggle("active", index === at));
  if (at < 0 || !options[at]) return box.removeAttribute("aria-activedescendant");
  box.setAttribute("aria-activedescendant", options[at].id);
  options[at].scrollIntoView({ block: "nearest" });
}

function choose(combo, option) {
  const { box } = parts(combo);
  const { choice, label } = option.dataset;
  delete box.dataset.typed;
  if (combo.hasAttribute("data-many")) {
    const chip = [...combo.querySelectorAll(".chip")].find((one) => one.dataset.value === choice);
    if (chip) chip.remove();
    else combo.querySelector(".chips").append(newChip(choice, label));
    box.value = "";
  } else {
    combo.dataset.value = choice;
    combo.dataset.local = label;
    box.value = label;
  }
  closePopup(combo);
  box.focus();
  return enter(combo);
}

function newChip(value, label) {
  const chip = Object.assign(document.createElement("span"), { className: "chip", textContent: label });
  chip.dataset.value = value;
  const cross = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  cross.setAttribute("aria-label", `Remove ${label}`);
  chip.append(cross);
  return chip;
}

function comboKey(event, combo) {
  const { box, popup, options } = parts(combo);
  const at = options.findIndex((option) => option.classList.contains("active"));
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    if (popup.hidden) return search(combo);
    return activate(combo, (at + step + options.length) % Math.max(options.length, 1));
  }
  if (event.key === "Enter") {
    event.preventDefault();
    if (!popup.hidden && options[at]) choose(combo, options[at]);
  } else if (event.key === "Tab") {
    closePopup(combo); // before the focus moves: a list that scrolls would take it
  } else if (event.key === "Escape" && !popup.hidden) {
    event.preventDefault();
    event.stopPropagation();
    closePopup(combo);
  } else if (event.key === "Backspace" && !box.value) {
    const last = combo.querySelector(".chip:last-of-type");
    if (last) {
      last.remove();
      enter(combo);
    }
  }
}

// Leaving a single choice half-typed puts back what was chosen; emptying it takes it away.
function leaveCombo(combo) {
  const { box } = parts(combo);
  closePopup(combo);
  if (combo.hasAttribute("data-many")) {
    box.value = "";
  } else if (box.dataset.typed && !box.value && combo.dataset.value) {
    delete combo.dataset.value;
    delete combo.dataset.local;
    enter(combo);
  } else if (box.dataset.typed) {
    box.value = combo.dataset.value ? combo.dataset.local ?? box.defaultValue : "";
  }
  delete box.dataset.typed;
}

export function watchFields(root) {
  root.addEventListener("scroll", (event) => {
    if (!event.target.closest?.(".options")) replace();
  }, true);
  addEventListener("resize", replace);
  root.addEventListener("input", (event) => {
    const combo = event.target.closest("[data-entry=combobox]");
    if (combo) {
      event.target.dataset.typed = "yes";
      clearTimeout(combo.timer);
      combo.timer = setTimeout(() => search(combo), PAUSE);
    } else if (event.target.dataset.entry === "text") {
      typed(event.target);
    }
  });
  root.addEventListener("change", (event) => {
    const ticks = event.target.closest("[data-entry=ticks]");
    if (ticks) changed(ticks);
    else if (event.target.dataset.entry === "select") changed(event.target);
  });
  root.addEventListener("focusin", (event) => {
    const entry = event.target.closest("[data-entry]");
    if (entry && !entry.dataset.before) entry.dataset.before = JSON.stringify(valueOf(entry));
  });
  root.addEventListener("keydown", (event) => {
    const combo = event.target.matches("input") && event.target.closest("[data-entry=combobox]");
    if (combo) return comboKey(event, combo);
    const { entry, dispatch } = event.target.dataset;
    if (event.key === "Enter" && entry === "text" && dispatch === "enter" && !event.shiftKey) {
      event.preventDefault();
      enter(event.target);
    }
  });
  root.addEventListener("pointerdown", (event) => {
    const option = event.target.closest(".options [role=option]");
    if (!option) return;
    event.preventDefault();
    choose(option.closest("[data-entry=combobox]"), option);
  });
  root.addEventListener("click", (event) => {
    const combo = event.target.closest("[data-entry=combobox]");
    if (!combo) return;
    const cross = event.target.closest(".chip button");
    if (cross) {
      cross.parentElement.remove();
      enter(combo);
      combo.querySelector("input").focus();
    } else if (!event.target.closest("[role=listbox]")) {
      combo.querySelector("input").focus();
      if (parts(combo).popup.hidden) search(combo);
    }
  });
  root.addEventListener("focusout", (event) => {
    const combo = event.target.closest("[data-entry=combobox]");
    if (combo && !combo.contains(event.relatedTarget)) leaveCombo(combo);
  });
}
