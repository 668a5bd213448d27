// Everything that a photo's page does with a script. Without it the page is whole, only plainer.

import { AllLayers } from "./all-layers.js";
import { ChannelGrid } from "./channel-grid.js";
import { ChannelInspector } from "./channel-inspector.js";
import { ChannelPhotos } from "./channel-photos.js";
import { ClassEvidence } from "./class-evidence.js";
import { ColourBar } from "./colour-bar.js";
import { CompareView } from "./compare-view.js";
import { FeatureExplorer } from "./feature-explorer.js";
import { LayerSummary } from "./layer-summary.js";
import { NetworkMap } from "./network-map.js";
import { OriginView } from "./origin-view.js";
import { ResidualView } from "./residual-view.js";
import { ShortcutSheet } from "./shortcut-sheet.js";
import { swipe } from "./touch.js";
import { ViewTools } from "./view-tools.js";
import { TourBar } from "./tour-bar.js";

customElements.define("network-map", NetworkMap);
customElements.define("colour-bar", ColourBar);
customElements.define("layer-summary", LayerSummary);
customElements.define("origin-view", OriginView);
customElements.define("residual-view", ResidualView);
customElements.define("channel-photos", ChannelPhotos);
customElements.define("compare-view", CompareView);
customElements.define("all-layers", AllLayers);
customElements.define("channel-grid", ChannelGrid);
customElements.define("view-tools", ViewTools);
customElements.define("channel-inspector", ChannelInspector);
customElements.define("class-evidence", ClassEvidence);
customElements.define("tour-bar", TourBar);
customElements.define("feature-explorer", FeatureExplorer);
customElements.define("shortcut-sheet", ShortcutSheet);

// A finger across the photo at the top turns to the next one.
const frame = document.querySelector(".photo-figure");
let began = null;
frame.addEventListener("touchstart", ({ touches }) => (began = touches.length === 1 ? touches[0] : null), { passive: true });
frame.addEventListener("touchend", ({ changedTouches: [ended] }) => {
  const direction = began ? swipe(ended.clientX - began.clientX, ended.clientY - began.clientY) : 0;
  if (direction) document.querySelector(`.filmstrip [rel=${direction < 0 ? "prev" : "next"}]`)?.click();
});
