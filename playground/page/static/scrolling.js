// Where a person reads: at the end they stay there; further up they are told of what is new.

export const scrolls = () => [...document.querySelectorAll("#scroll, #scroll-thread")];
export const isTalk = (pane) => pane.querySelector("[role=log]") !== null;
const atEnd = (pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 80;
const hintOf = (pane) => pane.parentElement.querySelector(".news");

export function toEnd(pane) {
  pane.scrollTop = pane.scrollHeight;
  const hint = hintOf(pane);
  if (hint) hint.hidden = true;
}

// What I have said myself is what I want to see.
export function followMine(inThread = false) {
  const pane = document.getElementById(inThread ? "scroll-thread" : "scroll");
  if (pane && isTalk(pane)) toEnd(pane);
}

const others = (pane) => [...pane.querySelectorAll(".message")]
  .filter((one) => one.dataset.author !== document.body.dataset.viewer)
  .map((one) => one.id);

// To be called before a change; what it returns, after it.
export function keepPlace() {
  const talks = scrolls().filter(isTalk);
  const following = new Set(talks.filter(atEnd));
  const known = new Map(talks.map((pane) => [pane, new Set(others(pane))]));
  return () => talks.forEach((pane) => {
    if (following.has(pane)) return toEnd(pane);
    const isNew = others(pane).some((id) => !known.get(pane).has(id));
    if (isNew && !atEnd(pane)) hintOf(pane).hidden = false;
  });
}

export function watchScrolling(root) {
  root.addEventListener("scroll", (event) => {
    const pane = event.target;
    if (scrolls().includes(pane) && hintOf(pane) && atEnd(pane)) hintOf(pane).hidden = true;
  }, true);
  root.addEventListener("click", (event) => {
    const hint = event.target.closest(".news");
    if (hint) toEnd(hint.parentElement.querySelector(".scroll"));
  });
}
