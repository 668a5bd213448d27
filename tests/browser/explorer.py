"""What tests of the explorer share: opening it at a view, and reading what it shows."""

from urllib.parse import parse_qs, urlsplit

LAYER, CHANNEL = "layer2.0.conv1", 5


def opened(visit, photo, **view):
    """Open a photo's page at a view and wait until its channels are there."""
    options = view.pop("options", {})
    settings = {"layer": LAYER, "channel": CHANNEL} | view
    link = "&".join(f"{name}={value}" for name, value in settings.items())
    watched = visit(f"{photo}#{link}", **options)
    watched.page.locator("channel-grid button").first.wait_for()
    return watched


def view_of(page):
    """Return the settings that the link names."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).fragment).items()}


def as_number(text):
    """Return a number as pages write it."""
    return float(text.replace("−", "-").replace("+", ""))
