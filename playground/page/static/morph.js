// Turns what is on the page into new HTML without losing what a person is doing there: carets,
// half-typed words, open menus and scroll positions belong to elements that stay the same ones.

const CONTROLS = new Set(["INPUT", "TEXTAREA", "SELECT"]);
// What the browser or the person changes; a re-rendering must not change it back.
const THEIRS = new Set(["value", "checked", "open", "selected", "data-value", "data-local",
  "data-before", "data-waiting", "data-seek-error"]);

export function html(words) {
  const template = document.createElement("template");
  template.innerHTML = words;
  return template.content;
}

function keyOf(node) {
  return node.nodeType === 1 ? node.dataset.key || node.id || null : null;
}

function same(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

export function morph(from, to) {
  if (from.nodeType !== 1) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.isEqualNode(to)) return;
  const keepOpen = from.nodeName === "DETAILS" || from.nodeName === "DIALOG";
  const isControl = CONTROLS.has(from.nodeName);
  for (const { name, value } of [...to.attributes]) {
    if (isControl && THEIRS.has(name)) continue;
    if (keepOpen && name === "open") continue;
    if (from.dataset.entry === "combobox" && name === "data-value") continue;
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (to.hasAttribute(name) || THEIRS.has(name)) continue;
    from.removeAttribute(name);
  }
  if (from.nodeName === "TEXTAREA") return;
  if (from.dataset.entry === "combobox") return keepCombobox(from, to);
  if (from.nodeName === "SELECT") return keepChoice(from, to);
  if (from.getAttribute("role") === "listbox" || from.getAttribute("role") === "menu") return;
  children(from, to);
}

// A type-ahead's chips and list are the person's; its labels and error marks are the server's.
function keepCombobox(from, to) {
  const here = from.querySelector("input");
  const there = to.querySelector("input");
  for (const name of ["aria-invalid", "aria-describedby", "placeholder"]) {
    if (there.hasAttribute(name)) here.setAttribute(name, there.getAttribute(name));
    else here.removeAttribute(name);
  }
}

function keepChoice(from, to) {
  const chosen = from.value;
  children(from, to);
  if ([...from.options].some((option) => option.value === chosen)) from.value = chosen;
}

// What goes is taken out first and what stays is not moved: moving an element takes its focus.
export function children(from, to) {
  const coming = new Set([...to.childNodes].map(keyOf).filter(Boolean));
  const keyed = new Map();
  for (const child of [...from.childNodes]) {
    const key = keyOf(child);
    if (key && !coming.has(key)) child.remove();
    else if (key) keyed.set(key, child);
  }
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const key = keyOf(wanted);
    const found = key ? keyed.get(key) : place;
    while (key && found && place && place !== found && !keyOf(place)) place = drop(place);
    if (found && same(found, wanted)) {
      if (found === place) place = place.nextSibling;
      else from.insertBefore(found, place);
      morph(found, wanted);
    } else {
      from.insertBefore(document.importNode(wanted, true), place);
    }
  }
  while (place) place = drop(place);
}

function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// Applies a change to a list whose items are keyed by their ids.
export function list(region, { order, items }) {
  const here = new Map([...region.children].map((child) => [child.id, child]));
  const wanted = new Set(order);
  for (const [id, child] of here) if (!wanted.has(id)) child.remove();
  let place = region.firstElementChild;
  for (const id of order) {
    let child = here.get(id);
    if (id in items) {
      const fresh = html(items[id]).firstElementChild;
      if (child) morph(child, fresh);
      else child = document.importNode(fresh, true);
    }
    if (!child) continue;
    if (child === place) place = place.nextElementSibling;
    else region.insertBefore(child, place);
  }
}
