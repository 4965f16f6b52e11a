"""What the tests of the book share: the built pages, and a server for them."""

import functools
import http.server
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
# The checks of a page and the book's Sphinx extensions are modules in folders that are no packages.
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "book" / "_ext")]


@pytest.fixture(scope="session")
def html():
    """The folder of the built book; without it nothing here means anything, so that is a failure and no skip."""
    if not (HTML / "searchindex.js").is_file():
        pytest.fail(f"the book is not built: {HTML} has no pages. Run: make book", pytrace=False)
    return HTML


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files and print nothing."""

    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="session")
def serve():
    """Return a function that serves a folder on a free port of this machine and returns its address."""
    servers = []

    def start(folder):
        handler = functools.partial(QuietHandler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()
