// Everything that the page of the first filters does with a script: order, one filter large, the
// slider through training, and an address for each view.

import { channelOrder } from "./channel-order.js";
import { readChoices, writeChoices } from "./choices.js";
import "./filter-detail.js";
import "./training-history.js";

const page = document.querySelector(".filters");
const [grid, detail] = [page.querySelector(".grid"), page.querySelector("filter-detail")];
const items = [...grid.children];
const header = page.querySelector(".facts thead tr");
const rows = [...page.querySelectorAll(".facts tbody tr")];

/** Measure to its cells, by filter. */
const cells = Object.fromEntries(
  [...header.cells].flatMap((cell, i) => (cell.dataset.measure ? [[cell.dataset.measure, rows.map((row) => row.cells[i])]] : [])),
);
const values = Object.fromEntries(
  Object.entries(cells).map(([measure, list]) => [
    measure,
    list.map((cell) => Number(cell.querySelector("data")?.value ?? -Infinity)),
  ]),
);
const order = (by) => channelOrder(by, { high: rows }, values);

function sort(by) {
  grid.append(...order(by).map((filter) => items[filter]));
  items.forEach((item, filter) => {
    item.querySelector(".sorted-by").textContent = cells[by]?.[filter].textContent ?? "";
  });
}

function choose(filter) {
  items.forEach((item, i) => {
    const link = item.firstElementChild;
    if (i === filter) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
  detail.show(filter, rows[filter], header);
}

/** The filter that an address names, if there is such a one. */
function named(hash) {
  const filter = Number(/^#filter-(\d+)$/.exec(hash)?.[1] ?? -1);
  return filter in rows ? filter : -1;
}

const orderChoice = page.querySelector('[name="order"]');
orderChoice.parentElement.hidden = false;
const controls = [...page.querySelectorAll("[name]")];
const groups = {};
for (const control of controls) (groups[control.name] ??= []).push(control);
const allowed = Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, valuesOf(group)]));

/** What can be chosen, the default first. */
function valuesOf([control, ...others]) {
  if (control.type === "radio") return [control, ...others].map((radio) => radio.value);
  if (control.type !== "range") return [...control.options].map((option) => option.value);
  return Array.from({ length: Number(control.max) + 1 }, (_, i) => String(control.max - i));
}

for (const [name, value] of Object.entries(readChoices(location.search, allowed))) {
  for (const control of groups[name]) {
    if (control.type === "radio") control.checked = control.value === value;
    else control.value = value;
  }
  if (name === "moment") groups[name][0].dispatchEvent(new Event("input"));
}
sort(orderChoice.value);
choose(named(location.hash) < 0 ? order("norm")[0] : named(location.hash));
// The address leads to a row of the table; with a script the large picture is there first.
if (named(location.hash) >= 0) addEventListener("load", () => detail.scrollIntoView({ block: "nearest" }));

page.addEventListener("change", ({ target }) => {
  if (target === orderChoice) sort(target.value);
  const choices = Object.fromEntries(controls.filter((c) => c.type !== "radio" || c.checked).map((c) => [c.name, c.value]));
  history.replaceState(null, "", location.pathname + writeChoices(choices, allowed) + location.hash);
});

page.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#filter-"]');
  if (!link || link.closest(".facts") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const inSight = link.closest(".wall");
  history[inSight ? "replaceState" : "pushState"](null, "", link.hash);
  choose(named(link.hash));
  detail.scrollIntoView({ block: "nearest" });
});

addEventListener("popstate", () => {
  if (named(location.hash) >= 0) choose(named(location.hash));
});
