"""The site behind a plain static server, under a sub-path as GitHub Pages serves a project."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUB_PATH = "/project"


class SubPath(http.server.SimpleHTTPRequestHandler):
    """Serves a folder below a path of its own."""

    def send_head(self):
        if not self.path.startswith(SUB_PATH + "/"):
            self.send_error(404)
            return None
        return super().send_head()

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix(SUB_PATH))

    def log_message(self, *args: object) -> None:
        """Say nothing: the tests look at what the browser got."""


@contextmanager
def serving(folder: Path, handler: type[SubPath] = SubPath, **options: object) -> Iterator[str]:
    """Yield the address of `folder`; `options` are the handler's."""
    made = functools.partial(handler, directory=str(folder), **options)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), made) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{SUB_PATH}/"
        server.shutdown()
