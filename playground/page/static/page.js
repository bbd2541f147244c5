// The client: draws what the server sends, keeps its place, and passes on what a person does.

import { ask, settleModal, watchDialogs } from "./dialogs.js";
import { watchComposer } from "./composer.js";
import { flush, watchFields, where } from "./fields.js";
import { isTalk, keepPlace, scrolls, toEnd, watchScrolling } from "./scrolling.js";
import { children, html, list } from "./morph.js";
import { listen, notice, tell } from "./server.js";

function apply(patch) {
  const settle = keepPlace();
  for (const [name, change] of Object.entries(patch)) {
    const region = document.getElementById(`region-${name}`);
    if (!region) continue;
    if ("order" in change) list(region, change);
    else children(region, html(change.html));
  }
  settle();
  if ("modal" in patch) settleModal();
}

// Moving about ------------------------------------------------------------------------------

async function go(url, remember = true) {
  const answer = await fetch(url);
  if (!answer.ok) return notice(await answer.text());
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const before = document.body.dataset.at.split("?")[0];
  if (remember) history.pushState(null, "", url);
  document.title = next.title;
  Object.assign(document.body.dataset, next.body.dataset);
  delete document.body.dataset.live;
  children(document.body, next.body);
  arrive(before !== next.body.dataset.at.split("?")[0]);
  return undefined;
}

function arrive(elsewhere) {
  document.body.classList.remove("sidebar-open");
  scrolls().forEach((pane) => {
    if (isTalk(pane) && (elsewhere || pane.id === "scroll-thread")) toEnd(pane);
    else if (elsewhere) pane.scrollTop = 0;
  });
  settleModal();
  const thread = document.getElementById("reply-box");
  if (!document.querySelector("dialog[open]")) {
    (thread ?? document.getElementById("message-box") ?? document.getElementById("main")).focus();
  }
  listen(apply);
}

function isOurs(link, event) {
  const plainClick = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  const inside = link.origin === location.origin && link.pathname.startsWith("/as/");
  return plainClick && inside && !link.download && !link.target;
}

// Pressing ----------------------------------------------------------------------------------

async function press(element, value) {
  if (element.dataset.waiting) return;
  if (element.dataset.confirm && !(await ask(element.dataset.confirm))) return;
  element.dataset.waiting = "yes";
  element.setAttribute("aria-busy", "true");
  await flush(element.closest("[data-surface]"));
  await tell("press", { ...where(element), value });
  delete element.dataset.waiting;
  element.removeAttribute("aria-busy");
  if (element.dataset.url) open(element.dataset.url, "_blank", "noopener");
}

function toggleMenu(overflow, shown) {
  const menu = overflow.querySelector("[role=menu]");
  const opener = overflow.querySelector(".opener");
  menu.hidden = !shown;
  opener.setAttribute("aria-expanded", String(shown));
  if (shown) menu.querySelector("button").focus();
}

function menuKey(event) {
  const menu = event.target.closest("[role=menu]");
  if (!menu) return;
  const items = [...menu.querySelectorAll("button")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    items[(items.indexOf(event.target) + step + items.length) % items.length].focus();
  } else if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    const overflow = menu.closest(".overflow");
    toggleMenu(overflow, false);
    overflow.querySelector(".opener").focus();
  }
}

function closeMenusExcept(kept) {
  for (const overflow of document.querySelectorAll(".overflow")) {
    const menu = overflow.querySelector("[role=menu]");
    if (overflow !== kept && !menu.hidden) toggleMenu(overflow, false);
  }
}

function clicked(event) {
  const overflow = event.target.closest(".overflow");
  closeMenusExcept(overflow);
  const choice = event.target.closest("[data-choice]");
  if (overflow && choice) {
    toggleMenu(overflow, false);
    press(overflow, choice.dataset.choice);
  } else if (overflow) {
    toggleMenu(overflow, overflow.querySelector("[role=menu]").hidden);
  }
  const button = event.target.closest("button[data-press=button]");
  if (button) press(button);
  const bench = event.target.closest("button[data-lab]");
  if (bench) experiment(bench.dataset.lab, { ...bench.dataset });
  if (event.target.closest("#open-sidebar")) document.body.classList.toggle("sidebar-open");
  else if (!event.target.closest("#sidebar")) document.body.classList.remove("sidebar-open");
  const link = event.target.closest("a[href]");
  if (link && isOurs(link, event)) {
    event.preventDefault();
    go(link.href);
  }
}

async function experiment(deed, sent) {
  const answer = await tell(deed, sent);
  if (answer.said) notice(answer.said, "done");
}

document.addEventListener("click", clicked);
document.addEventListener("keydown", menuKey);
document.addEventListener("submit", (event) => {
  const deed = event.target.dataset.lab;
  if (!deed) return;
  event.preventDefault();
  experiment(deed, Object.fromEntries(new FormData(event.target)));
});
addEventListener("popstate", () => go(location.href, false));
watchFields(document);
watchDialogs(document);
watchComposer(document);
watchScrolling(document);
arrive(true);
