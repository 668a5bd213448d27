"""Links to a view of a photo's page, as static/view-state.js reads them."""

from urllib.parse import urlencode

from site_template.pages import Card


def view(card: Card, layer: str, channel: int | None = None, **settings: str | int) -> str:
    """Return the address, relative to the site, of `layer` on the page of `card`.

    `settings` are those of view-state.js, such as `sort="mean"`; a channel of None is left open.
    """
    chosen = {"layer": layer} | ({} if channel is None else {"channel": channel})
    return f"{card.page}#{urlencode(chosen | settings)}"
