// Makes the elements of the explorer known to the page; the explorer itself sees to its views.

import { ChannelGrid } from "./channel-grid.js";
import { ChannelInspector } from "./channel-inspector.js";
import { ClassEvidence } from "./class-evidence.js";
import { ColourBar } from "./colour-bar.js";
import { FeatureExplorer } from "./feature-explorer.js";
import { NetworkMap } from "./network-map.js";
import { ShortcutSheet } from "./shortcut-sheet.js";
import { ViewTools } from "./view-tools.js";
import { TourBar } from "./tour-bar.js";

customElements.define("network-map", NetworkMap);
customElements.define("colour-bar", ColourBar);
customElements.define("channel-grid", ChannelGrid);
customElements.define("view-tools", ViewTools);
customElements.define("channel-inspector", ChannelInspector);
customElements.define("class-evidence", ClassEvidence);
customElements.define("tour-bar", TourBar);
customElements.define("feature-explorer", FeatureExplorer);
customElements.define("shortcut-sheet", ShortcutSheet);
