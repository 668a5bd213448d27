// Runs after a page's program, and lets the plain page take over where that could not be loaded.

document.querySelector(".own:has(.own-needs:not([hidden])), main > feature-explorer:not(:defined)")?.setAttribute("data-failed", "");
