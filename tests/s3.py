"""A real S3 server (moto's, in a process of its own), and the line to it, which a test can cut."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import boto3
import pytest

Cut = Callable[[str, str], bool]
REQUEST = re.compile(rb"^([A-Z]+) /([^ ?]*)[^ ]* HTTP/1\.1\r\n")
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "word",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}


class Line:
    """Hands requests on to the server and keeps a list of them; ``cut(method, path)`` says which
    do not get through."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.requests: list[tuple[str, str]] = []
        self.cut: Cut = lambda method, path: False
        threading.Thread(target=self._listen, daemon=True).start()

    def written(self) -> list[str]:
        """Objects in the order in which they were written."""
        return [path for method, path in self.requests if method == "PUT"]

    def _listen(self) -> None:
        while True:
            asking, _ = self._listening.accept()
            threading.Thread(target=self._serve, args=(asking,), daemon=True).start()

    def _serve(self, asking: socket.socket) -> None:
        with (
            suppress(OSError),
            closing(asking),
            closing(socket.create_connection(("127.0.0.1", self._server))) as server,
        ):
            threading.Thread(target=self._answer, args=(server, asking), daemon=True).start()
            while data := asking.recv(65_536):
                found = REQUEST.match(data)
                if found is not None:
                    method, path = found[1].decode(), found[2].decode()
                    if self.cut(method, path):
                        return
                    self.requests.append((method, path))
                server.sendall(data)

    def _answer(self, server: socket.socket, asking: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                asking.sendall(data)
        with suppress(OSError):
            asking.shutdown(socket.SHUT_RDWR)


class S3:
    """A bucket for one test."""

    def __init__(self, server: int, line: Line, name: str) -> None:
        self.line, self.name, self._server = line, name, server
        self.client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{server}", region_name="us-east-1"
        )
        self.client.create_bucket(Bucket=name)

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def objects(self, below: str) -> dict[str, bytes]:
        """Content by name, relative to a folder."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=f"{below}/"
        )
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {key.removeprefix(f"{below}/"): self.read(key) for key in keys}

    def read(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def check_credentials(self, wanted: bool) -> None:
        """From now on only those of known users are let in; or all again."""
        count = b"0" if wanted else b"inf"
        address = f"http://127.0.0.1:{self._server}/moto-api/reset-auth"
        kind = {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(address, count, kind, method="POST")).close()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("s3") / "server.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            end = time.monotonic() + 120
            while True:
                assert process.poll() is None, log.read_text()
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert time.monotonic() < end, "the S3 server does not answer"
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def s3_line(s3_server: int) -> Line:
    return Line(s3_server)


@pytest.fixture
def s3(
    s3_server: int, s3_line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[S3]:
    """An empty bucket, and a cache of its own for the test."""
    from s3fs import S3FileSystem

    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3_line.port}")
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "cache"))
    S3FileSystem.clear_instance_cache()
    s3_line.requests.clear()
    name = re.sub(r"[^a-z0-9]+", "-", f"b-{tmp_path.name}-{time.time_ns()}".lower())[:63]
    yield S3(s3_server, s3_line, name.strip("-"))
    s3_line.cut = lambda method, path: False
    S3FileSystem.clear_instance_cache()
