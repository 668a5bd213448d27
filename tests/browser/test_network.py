"""The drawn network leads to its layers, says what they are, and folds."""

from explorer import opened, view_of

from export.manifest import read_manifest


def test_a_layer_says_what_it_is_to_pointer_and_keyboard(visit, photo, exported):
    layer = read_manifest(exported).layer("layer2.0.conv2")
    page = opened(visit, photo).page
    facts = page.locator(".network-facts")
    assert facts.inner_text().startswith("layer2.0.conv1:")
    link = page.locator('.layers [data-layer="layer2.0.conv2"]')
    link.hover()
    expected = [
        f"{layer.channels} channels of {layer.height}×{layer.width}",
        f"{layer.parameters:,}".replace(",", "\u202f") + " parameters",
        f"sees {layer.receptive_field.size[0]}×{layer.receptive_field.size[1]} pixels",
        "reads layer2.0.relu",
    ]
    assert [text for text in expected if text not in facts.inner_text()] == []
    page.locator("#layer-title").hover()
    assert facts.inner_text().startswith("layer2.0.conv1:")
    link.focus()
    assert facts.inner_text().startswith("layer2.0.conv2:")
    page.keyboard.press("Enter")
    page.locator("#layer-title code", has_text="layer2.0.conv2").wait_for()


def test_a_block_folds_and_opens_when_one_of_its_layers_is_chosen(visit, photo):
    page = opened(visit, photo).page
    link = page.locator('.layers [data-layer="layer3.0.conv1"]')
    page.locator(".block summary", has_text="layer3.0").click()
    assert link.is_hidden()
    page.locator(".jump input").fill("layer3.0.conv1")
    page.keyboard.press("Enter")
    link.wait_for()
    assert link.get_attribute("aria-current") == "true"
    assert view_of(page)["layer"] == "layer3.0.conv1"


def test_every_layer_is_drawn_with_its_tile_and_a_wire(visit, photo, exported):
    manifest = read_manifest(exported)
    page = opened(visit, photo).page
    names = page.locator(".layers [data-layer]").evaluate_all(
        "all => all.map(one => one.dataset.layer)"
    )
    assert names == [layer.name for layer in manifest.feature_maps]
    sums = [layer for layer in manifest.feature_maps if layer.op == "add"]
    assert page.locator(".wires.down .sum").count() == len(sums)
    drawn = page.locator(".wires.down circle").count()
    assert drawn == len(names)
    # A layer stands beside its node.
    offsets = page.locator(".block").evaluate_all(
        """blocks => blocks.flatMap((block) => {
            const nodes = [...block.querySelectorAll(".down circle")];
            return [...block.querySelectorAll("a")].map((link, i) => {
                const [a, b] = [link, nodes[i]].map((one) => one.getBoundingClientRect());
                return Math.abs(a.top + a.height / 2 - b.top - b.height / 2);
            });
        })"""
    )
    assert max(offsets) < 2


def test_on_a_narrow_screen_the_network_runs_across(visit, photo):
    page = opened(visit, photo, options={"viewport": {"width": 390, "height": 844}}).page
    assert page.locator(".wires.across").first.is_visible()
    assert page.locator(".wires.down").first.is_hidden()
    link = page.locator('.layers [aria-current="true"]')
    box = link.bounding_box()
    assert 0 <= box["x"] < 390
