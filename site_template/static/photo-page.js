// Everything that a photo's page does with a script. Without it the page is whole, only plainer.

import { AllLayers } from "./all-layers.js";
import { ChannelGrid } from "./channel-grid.js";
import { ChannelInspector } from "./channel-inspector.js";
import { ClassEvidence } from "./class-evidence.js";
import { ColourBar } from "./colour-bar.js";
import { FeatureExplorer } from "./feature-explorer.js";
import { LayerSummary } from "./layer-summary.js";
import { ResidualView } from "./residual-view.js";
import { TourBar } from "./tour-bar.js";

customElements.define("colour-bar", ColourBar);
customElements.define("layer-summary", LayerSummary);
customElements.define("residual-view", ResidualView);
customElements.define("all-layers", AllLayers);
customElements.define("channel-grid", ChannelGrid);
customElements.define("channel-inspector", ChannelInspector);
customElements.define("class-evidence", ClassEvidence);
customElements.define("tour-bar", TourBar);
customElements.define("feature-explorer", FeatureExplorer);
