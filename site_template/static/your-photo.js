// The page of a visitor's own photo. What computes and explores it is loaded once there is one.

import { element } from "./dom.js";

const page = document.querySelector(".own");
const explored = document.querySelector(".own-explored");
const find = (selector) => page.querySelector(selector);
const bar = find("progress");
const NO_PHOTO = "There is no photo in this. Save or copy the picture itself, then give it here.";

let turn = 0; // counts the photos that were given: only the last is shown
let loading = null; // promise of the computer with the network in it
let stop = () => {};
let shown = null; // the LiveData whose maps are on the page

find(".own-needs").hidden = true;
if (location.hash.includes("=")) say("A link keeps the view, but cannot carry the photo, which stays on the device where it was given. Give that photo again, or another one to see the same view of it.");

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
  rest();
  find("input").focus();
});

const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
const isText = ({ target }) => target.matches?.("input"); // which takes words and links
document.addEventListener("dragover", (event) => {
  if (isText(event) && !hasFiles(event)) return;
  event.preventDefault();
  if (hasFiles(event)) page.dataset.over = "";
});
document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || delete page.dataset.over);
document.addEventListener("drop", (event) => {
  if (isText(event) && !hasFiles(event)) return;
  event.preventDefault(); // or the browser would leave the page for a link
  delete page.dataset.over;
  giveFirst(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => {
  const { files } = event.clipboardData;
  if (files.length || !isText(event)) giveFirst(files, "Pasted photo");
});
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
  if (!files.length) return say(NO_PHOTO);
  const first = [...files].find(({ type }) => type.startsWith("image/")) ?? files[0];
  if ((await give(first, title)) && files.length > 1) say("One photo at a time: this is the first.");
}

async function giveFrom(url, title) {
  const own = ++turn;
  wait("Loading the photo …");
  const file = await fetch(url).then((response) => (response.ok ? response.blob() : null), () => null);
  if (own !== turn) return;
  if (file) return void give(file, title);
  rest("This photo cannot be reached. Check the connection and try again.");
}

/** @returns {string} a file's name without its type, cut where it is long */
function titleOf({ name = "" }) {
  const letters = [...name.replace(/\.[^.]*$/, "")];
  return letters.length > 60 ? `${letters.slice(0, 59).join("")}…` : letters.join("") || "Your photo";
}

/**
 * Compute a photo and show it in the explorer.
 * @returns {Promise<boolean>} whether it came to be shown
 */
async function give(file, title = titleOf(file)) {
  const own = ++turn;
  let data = null;
  wait(loading ? "Computing …" : "Loading the network …");
  loading ??= load();
  const network = loading;
  try {
    const opening = network.then(({ LiveData, ...means }) => {
      data = new LiveData(means, file, title);
      return data.entry();
    });
    opening.catch(() => {}); // is told below
    const explorer = await import("./live-explorer.js").catch(lacking);
    await network;
    const first = explorer.prefetch(data).catch(() => {}); // the explorer asks again, and tells
    if (own === turn) tell("Computing …");
    await opening;
    await first;
    if (own !== turn) return data.close();
    const before = shown;
    shown = data;
    rest();
    tell("", `${title}: computed`);
    await explorer.show(explored, data);
    before?.close();
    requestAnimationFrame(() => setTimeout(() => explorer.complete(explored, data, !before).catch(() => {})));
    return own === turn;
  } catch (error) {
    data?.close();
    // Without data, it was the network that could not be had; by now there may be another.
    if ((error.isFatal || !data) && loading === network) {
      stop();
      loading = null;
    }
    if (own === turn) rest(error.message);
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
    if (come < total) tell(`Loading the network: ${(come / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`, "Loading the network …");
    else tell("Starting the network …");
  });
  return { LiveData, computer, rounding, gallery: new GalleryData("", page.dataset.shared) };
}

/** Show that something is being done, and what. */
function wait(text) {
  bar.removeAttribute("value");
  show("busy");
  tell(text);
  if (!shown) find(".own-cancel").focus(); // as what was pressed is gone
}

/** Show that nothing is being done, and what went wrong. */
function rest(fault = "") {
  show(shown ? "shown" : "idle");
  tell("");
  say(fault);
}

/** @param {"idle"|"busy"|"shown"} state */
function show(state) {
  page.dataset.state = state;
  page.toggleAttribute("data-again", shown !== null);
  find(".own-busy").hidden = state !== "busy";
  say("");
}

/** Tell what is being done: to the eye, and, seldom enough to be heard out, aloud. */
function tell(text, aloud = text) {
  find("#own-doing").textContent = text;
  const status = find("[role=status]");
  if (status.textContent !== aloud) status.textContent = aloud;
}

function say(text) {
  const fault = find(".own-fault");
  fault.hidden = text === "";
  fault.replaceChildren(element("span", text));
  if (text) fault.scrollIntoView({ block: "nearest" });
}
