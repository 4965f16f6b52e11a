"""What the tests of the book share: the built pages, a server for them, and Chromium."""

import functools
import http.server
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
# The checks of a page and the book's Sphinx extensions are modules in folders that are no packages.
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "book" / "_ext")]

# Chromium asks servers of its own for updates and lists unless told not to.
ARGUMENTS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
ARGUMENTS += ["--disable-quic", "--disable-gpu", "--disable-domain-reliability", "--no-default-browser-check"]


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


@pytest.fixture(scope="session")
def browser():
    """Chromium: the system's, else the one that Playwright brought; without either the tests are skipped."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[test]'")
    system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        if not system and not Path(playwright.chromium.executable_path).is_file():
            pytest.skip("Chromium is not installed: apt install chromium, or playwright install chromium")
        chromium = playwright.chromium.launch(executable_path=system, args=ARGUMENTS + as_root)
        yield chromium
        chromium.close()
