"""The page in a real browser: nothing on the console, nothing asked of the network."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from synthgen.report import render
from synthgen.results import Report
from tests.report.image_reports import images

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGE = "http://report.test/report.html"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Proxy(ThreadingHTTPServer):
    """Stands between the browser and every host; serves one page and notes all requests."""

    page = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = self.server.page.encode() if self.path == PAGE else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(502)

    def log_message(self, format: str, *args: object) -> None:
        """Not on the test's output."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def visit(proxy: Proxy, page: str, folder: Path) -> tuple[str, list[str], list[str]]:
    """The document after loading, console messages, and what the page asked for."""
    proxy.page, proxy.asked = page, []
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *(f"--user-data-dir={folder}", f"--proxy-server=http://127.0.0.1:{proxy.server_port}"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--enable-logging=stderr", "--log-level=0", "--dump-dom", PAGE),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    # The browser itself asks its maker for this and that; the page is plain HTTP and would not.
    asked = [path for path in proxy.asked if not path.endswith(":443") and "google" not in path]
    return done.stdout, console, asked


@pytest.mark.parametrize("kind", ["table", "images"])
def test_the_page_loads_silently(
    proxy: Proxy, make_rich: Callable[..., Report], tmp_path: Path, kind: str
) -> None:
    made = make_rich("do-not-augment")
    page = render(images() if kind == "images" else made)

    document, console, asked = visit(proxy, page, tmp_path)

    assert '<section id="provenance"' in document
    assert console == []
    assert asked == [PAGE]


def test_the_policy_stops_what_does_not_belong(
    proxy: Proxy, make_report: Callable[..., Report], tmp_path: Path
) -> None:
    """The control of the test above: a tampered page is noticed, and asks for nothing either."""
    intruder = '<img src="http://elsewhere.test/x.png"><script>document.title = "run"</script>'
    page = render(make_report()).replace("</main>", f"{intruder}</main>")

    document, console, asked = visit(proxy, page, tmp_path / "with")
    assert any("elsewhere.test" in line for line in console)
    assert "<title>run" not in document
    assert asked == [PAGE]

    free = page.replace('http-equiv="Content-Security-Policy"', 'name="none"')
    document, console, asked = visit(proxy, free, tmp_path / "without")
    assert "<title>run" in document
    # Without a policy the browser looks for an icon, too.
    assert set(asked) == {PAGE, "http://elsewhere.test/x.png", "http://report.test/favicon.ico"}
