// The elements of the explorer; it loads its views itself, and each element makes itself known.

import "./channel-grid.js";
import "./channel-inspector.js";
import "./class-evidence.js";
import "./colour-bar.js";
import "./feature-explorer.js";
import "./network-map.js";
import "./shortcut-sheet.js";
import "./tour-bar.js";
import "./view-tools.js";
