// The page of a visitor's own photo. What computes and explores it is loaded once there is one.

import { element } from "./dom.js";

const page = document.querySelector(".own");
const explored = document.querySelector(".own-explored");
const find = (selector) => page.querySelector(selector);
const [status, bar] = [find("[role=status]"), find("progress")];

let turn = 0; // counts the photos that were given: only the last is shown
let loading = null; // promise of the computer with the network in it
let stop = () => {};
let shown = null; // the LiveData whose maps are on the page

find(".own-give").hidden = false;
find(".own-needs").hidden = true;
if (location.hash.includes("=")) say("This link keeps a view of somebody’s photo, but a link cannot carry the photo itself. Give the same photo to see what was meant, or another one to see the same view of it.");

for (const input of page.querySelectorAll("input")) {
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = ""; // so that the same file can be chosen again
    if (file) give(file);
  });
}
for (const button of page.querySelectorAll("[data-sample]")) {
  button.addEventListener("click", () => giveFrom(button.dataset.sample, button.firstElementChild.alt));
}
find(".own-cancel").addEventListener("click", () => {
  turn += 1;
  if (!shown) stop();
  show(shown ? "shown" : "idle");
});

const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  page.dataset.over = "";
});
document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || delete page.dataset.over);
document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  delete page.dataset.over;
  giveFirst(event.dataTransfer.files);
});
document.addEventListener("paste", ({ clipboardData }) => clipboardData.files.length && giveFirst(clipboardData.files, "Pasted photo"));
const paste = find(".own-paste");
paste.hidden = !navigator.clipboard?.read;
paste.addEventListener("click", async () => {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((one) => one.startsWith("image/"));
      if (type) return void give(await item.getType(type), "Pasted photo");
    }
    say("There is no picture in the clipboard: copy one first.");
  } catch {
    say("This browser does not let the page look into the clipboard. Press Ctrl+V (⌘V on a Mac) instead.");
  }
});

async function giveFirst(files, title) {
  if (files.length) await give(files[0], title);
  if (files.length > 1 && find(".own-fault").hidden) say("One photo at a time: this is the first.");
}

async function giveFrom(url, title) {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(response.status);
    give(await response.blob(), title);
  } catch {
    say("This photo cannot be reached. Check the connection and try again.");
  }
}

/** Compute a photo and show it in the explorer. */
async function give(file, title = file.name?.replace(/\.[^.]*$/, "").slice(0, 80) || "Your photo") {
  const own = ++turn;
  let data = null;
  const network = (loading ??= load());
  try {
    const opening = network.then(({ LiveData, ...network }) => {
      data = new LiveData(network, file, title);
      return data.entry();
    });
    opening.catch(() => {}); // is told below
    show("busy");
    const explorer = await import("./live-explorer.js").catch(lacking);
    await network;
    const first = explorer.prefetch(data).catch(() => {}); // the explorer asks again, and tells
    status.textContent = "Computing …";
    await opening;
    await first;
    if (own !== turn) return data.close();
    const before = shown;
    shown = data;
    show("shown");
    await explorer.show(explored, data);
    before?.close();
    requestAnimationFrame(() => setTimeout(() => explorer.complete(explored, data).catch(() => {})));
  } catch (error) {
    data?.close();
    // Without data, it was the network that could not be had; by now there may be another.
    if ((error.isFatal || !data) && loading === network) {
      stop();
      loading = null;
    }
    if (own !== turn) return;
    show(shown ? "shown" : "idle");
    say(error.message);
  }
}

function lacking() {
  throw new Error("A part of this page cannot be reached. Check the connection and try again.");
}

/** Start the computer and load the network into it. */
async function load() {
  const [{ Computer, LiveData }, { GalleryData }] = await Promise.all([import("./live-data.js"), import("./gallery-data.js")]).catch(lacking);
  const computer = new Computer();
  stop = () => {
    computer.stop(new Error("the network was stopped"));
    loading = null;
  };
  const at = (path) => new URL(path, location.href).href;
  const { rounding } = await computer.ask("load", { address: at(page.dataset.browser), root: at(page.dataset.site) }, ({ come, total }) => {
    bar.max = total;
    bar.value = come;
    status.textContent = come < total ? `Loading the network: ${(come / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB` : "Starting the network …";
  });
  return { LiveData, computer, rounding, gallery: new GalleryData("", page.dataset.shared) };
}

/** @param {"idle"|"busy"|"shown"} state */
function show(state) {
  page.dataset.state = state;
  page.toggleAttribute("data-again", shown !== null);
  find(".own-busy").hidden = state !== "busy";
  if (state === "busy") bar.removeAttribute("value");
  say("");
}

function say(text) {
  const fault = find(".own-fault");
  fault.hidden = text === "";
  fault.replaceChildren(element("span", text));
}
