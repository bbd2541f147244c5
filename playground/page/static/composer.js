// Where people write: Enter sends, a slash shows what can be said, Tab or Enter takes it.

import { followMine } from "./scrolling.js";
import { tell } from "./server.js";

const hintsOf = (form) => form.querySelector(".hints");
const shownHints = (form) => [...form.querySelectorAll(".hints [role=option]:not([hidden])")];

function grow(box) {
  box.rows = Math.min(box.value.split("\n").length, 8);
}

function suggest(form) {
  const box = form.querySelector("textarea");
  const words = box.value.trimEnd().toLowerCase();
  const popup = hintsOf(form);
  let any = false;
  for (const row of popup.children) {
    row.hidden = !(words.startsWith("/") && row.dataset.words.startsWith(words) && row.dataset.words !== words);
    any ||= !row.hidden;
  }
  popup.hidden = !any;
  mark(form, 0);
}

function mark(form, at) {
  const rows = shownHints(form);
  for (const row of hintsOf(form).children) row.setAttribute("aria-selected", "false");
  rows[at]?.setAttribute("aria-selected", "true");
}

function take(form, row) {
  const box = form.querySelector("textarea");
  box.value = row.dataset.words;
  hintsOf(form).hidden = true;
  box.focus();
}

async function send(form) {
  const box = form.querySelector("textarea");
  const text = box.value;
  if (!text.trim()) return;
  box.value = "";
  grow(box);
  hintsOf(form).hidden = true;
  const { channel, thread } = form.dataset;
  followMine(Boolean(thread));
  const answer = await tell("send", { text, channel, thread });
  if (answer.problem && !box.value) box.value = text;
}

function key(event, form) {
  const rows = shownHints(form);
  const open = !hintsOf(form).hidden && rows.length > 0;
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (open && step) {
    event.preventDefault();
    mark(form, (at + step + rows.length) % rows.length);
  } else if (open && event.key === "Tab" && !event.shiftKey) {
    event.preventDefault();
    take(form, rows[at]);
  } else if (open && event.key === "Escape") {
    hintsOf(form).hidden = true;
  } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    const half = open && !event.target.value.trim().includes(" ");
    if (half) take(form, rows[at]);
    else send(form);
  }
}

export function watchComposer(root) {
  root.addEventListener("input", (event) => {
    const form = event.target.closest(".composer");
    if (!form) return;
    grow(event.target);
    suggest(form);
  });
  root.addEventListener("keydown", (event) => {
    const form = event.target.matches("textarea") && event.target.closest(".composer");
    if (form) key(event, form);
  });
  root.addEventListener("submit", (event) => {
    if (!event.target.matches(".composer")) return;
    event.preventDefault();
    send(event.target);
  });
  root.addEventListener("pointerdown", (event) => {
    const row = event.target.closest(".hints [role=option]");
    if (!row) return;
    event.preventDefault();
    take(row.closest("form"), row);
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-type-words]");
    if (!button) return;
    const box = document.getElementById("message-box");
    box.value = button.dataset.typeWords;
    box.focus();
  });
  root.addEventListener("focusout", (event) => {
    const form = event.target.closest(".composer");
    if (form) hintsOf(form).hidden = true;
  });
}
