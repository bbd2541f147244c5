// Modals and questions. The browser keeps the rest of the page inert; focus goes round inside.

import { html } from "./morph.js";
import { flush } from "./fields.js";
import { followMine } from "./scrolling.js";
import { tell } from "./server.js";

let before = null;

export function ask(confirm) {
  const { title, text, confirm: yes, deny: no, style } = JSON.parse(confirm);
  const dialog = document.createElement("dialog");
  dialog.className = "question";
  dialog.setAttribute("aria-labelledby", "question-title");
  dialog.append(html(`<h2 id="question-title">${title}</h2><div>${text}</div><footer>
    <button type="button" class="button" value="no">${no || "Cancel"}</button>
    <button type="button" class="button ${style === "danger" ? "danger" : "primary"}" value="yes">${yes || "OK"}</button>
  </footer>`));
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("[value=yes]").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) dialog.close(button.value);
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

const top = () => document.querySelector("dialog.modal");

// Opens a modal that has just been rendered; gives the focus back once none is left.
export function settleModal() {
  const dialog = top();
  if (!dialog) {
    if (before?.isConnected) before.focus();
    before = null;
    return;
  }
  if (dialog.open) return seekError(dialog);
  before ??= document.activeElement;
  dialog.showModal();
  const first = dialog.querySelector("[data-autofocus]") ||
    dialog.querySelector(".sheet input, .sheet select, .sheet textarea") ||
    dialog.querySelector(".sheet button") ||
    dialog.querySelector("footer button");
  first?.focus();
}

async function close(dialog, whole) {
  dialog.dataset.waiting = "yes";
  await flush(dialog);
  await tell("close", { surface: dialog.dataset.surface, whole });
  delete dialog.dataset.waiting;
}

async function submit(dialog) {
  if (dialog.dataset.waiting || dialog.hasAttribute("data-busy")) return;
  const button = dialog.querySelector("[data-submit]");
  if (!button || button.disabled) return;
  dialog.dataset.waiting = dialog.dataset.seekError = "yes";
  await flush(dialog);
  const answer = await tell("submit", { surface: dialog.dataset.surface });
  delete dialog.dataset.waiting;
  if (answer.errors) seekError(dialog);
  else {
    delete dialog.dataset.seekError;
    followMine();
  }
}

// Moves the focus to the first error of a submission, whichever comes first: answer or picture.
function seekError(dialog) {
  const wrong = dialog.querySelector("[aria-invalid=true]");
  if (!dialog.dataset.seekError || !wrong) return;
  delete dialog.dataset.seekError;
  (wrong.matches("div") ? wrong.querySelector("input") : wrong).focus();
  const field = wrong.closest(".field");
  field?.scrollIntoView({ block: "nearest" });
  field?.querySelector(".error")?.scrollIntoView({ block: "nearest" });
}

function keepInside(event, dialog) {
  const reachable = [...dialog.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((one) => !one.disabled && one.tabIndex >= 0 && one.offsetParent !== null);
  const edge = event.shiftKey ? reachable[0] : reachable.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? reachable.at(-1) : reachable[0]).focus();
}

export function watchDialogs(root) {
  root.addEventListener("submit", (event) => {
    const dialog = event.target.closest("dialog.modal");
    if (!dialog) return;
    event.preventDefault();
    submit(dialog);
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-close]");
    if (button) close(button.closest("dialog"), button.dataset.close === "all");
  });
  root.addEventListener("keydown", (event) => {
    const dialog = event.target.closest?.("dialog");
    if (dialog && event.key === "Tab") keepInside(event, dialog);
    if (dialog?.matches(".modal") && event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      submit(dialog);
    }
  });
  root.addEventListener("cancel", (event) => {
    if (!event.target.matches("dialog.modal")) return;
    event.preventDefault();
    close(event.target, false);
  }, true);
}
