"""Servers for the tests, each a process of its own: of files with all that goes wrong on the way, and before one of S3."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
CUT = 40_000
"""Bytes of an answer after which it is cut off."""

TRIES: dict[str, int] = {}


class Files(SimpleHTTPRequestHandler):
    """Files by ranges. The first folder of the path says what goes wrong: ``/cut/a.csv`` is ``a.csv``, cut off."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        how, _, rest = self.path.lstrip("/").partition("/")
        first = TRIES[self.path] = TRIES.get(self.path, 0) + 1
        if how.isdigit():
            self.send_error(int(how))
        elif how == "busy" and first < 3:
            self.send_error(503)
        elif how == "loop":
            self._moved(f"/loop/{rest}x")
        elif how == "inwards":
            self._moved(f"http://127.0.0.1:{self.connection.getsockname()[1]}/ok/{rest}")
        elif how == "moved":
            self._moved(f"/ok/{rest}")
        elif how == "silent":
            time.sleep(3)
        elif (
            how == "login"
            and self.headers.get("Authorization") != f"Basic {base64.b64encode(b'me:my zebra crossing').decode()}"
        ):
            self.send_error(401)
        elif how == "signed" and "sig=top-secret" not in rest:
            self.send_error(403)
        else:
            self._answer(how, rest.partition("?")[0], first)

    def _moved(self, place: str) -> None:
        self.send_response(302)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, how: str, rest: str, first: int) -> None:
        place = Path(self.translate_path(f"/{rest}"))
        if place.is_dir():
            page = self._page(place)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            return
        if not place.is_file():
            self.send_error(404)
            return
        data = place.read_bytes()
        start, stop, told = 0, len(data), re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if told and how != "plain":
            start, stop = int(told[1]), min(int(told[2]) + 1, len(data))
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", f'"{first if how == "changing" else len(data)}"')
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        cut = stop - start > CUT and (how == "cut" or (how == "once" and first % 2))
        with contextlib.suppress(OSError):
            self.wfile.write(data[start : start + CUT] if cut else data[start:stop])
            if cut:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

    @staticmethod
    def _page(place: Path) -> bytes:
        names = sorted(f"{item.name}/" if item.is_dir() else item.name for item in place.iterdir())
        links = "".join(f'<li><a href="{quote(name)}">{name}</a></li>' for name in names)
        evil = '<a href="../">up</a><a href="/etc/passwd">x</a><a href="https://example.com/a.csv">y</a><a href="?C=N">z</a>'
        return f"<html><head><title>Index of files</title></head><body>{evil}<ul>{links}</ul></body></html>".encode()


class Hub(SimpleHTTPRequestHandler):
    """What ``hf://`` asks of a hub, for one data set whose files are those of the folder."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def _known(self, path: Path) -> dict[str, Any]:
        name = path.as_posix()
        if path.is_dir():
            return {"type": "directory", "oid": "0", "size": 0, "path": name}
        return {"type": "file", "oid": str(path.stat().st_mtime_ns), "size": path.stat().st_size, "path": name}

    def _send(self, body: Any, status: int = 200, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_POST(self) -> None:
        """Tell of some paths."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body)["paths"]
        self._send([self._known(Path(name)) for name in asked if Path(name).exists()])

    def do_HEAD(self) -> None:
        """As for GET."""
        self.do_GET()

    def do_GET(self) -> None:
        """Tell of the repository, list a folder, or give a file."""
        place = unquote(self.path.partition("?")[0])
        if "/tree/" in place:
            top = Path(place.partition("/tree/")[2].partition("/")[2])
            found = top.rglob("*") if "recursive=true" in self.path.lower() else top.iterdir()
            self._send([self._known(path) for path in sorted(found)])
        elif "/resolve/" in place:
            path = Path(place.partition("/resolve/")[2].partition("/")[2])
            if not path.is_file():
                self._send({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
                return
            data, told = path.read_bytes(), re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            tags = {"ETag": f'"{len(data)}"', "X_Repo_Commit": "c" * 40}
            if told is None:
                self._send(data, 200, **tags)
                return
            part = data[int(told[1]) : int(told[2]) + 1]
            self._send(part, 206, Content_Range=f"bytes {told[1]}-{told[2]}/{len(data)}", **tags)
        elif place.startswith("/api/datasets/me/set"):
            self._send({"id": "me/set", "sha": "c" * 40, "private": False, "siblings": []})
        else:
            self._send({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")


class Between(socketserver.StreamRequestHandler):
    """Hands one request on to the server whose port is the environment's ``BEHIND``; answers about ``cut`` names break off."""

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.request.recv(65536)
            if not piece:
                return
            head += piece
        line = head.partition(b"\r\n")[0]
        head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        name = line.split(b" ")[1].decode()
        wanted = re.search(rb"(?i)\r\nrange: [^\r]*", head)
        key = f"{name} {wanted[0].decode() if wanted else None}"
        TRIES[key] = TRIES.get(key, 0) + 1
        cut = line.startswith(b"GET") and "?" not in name and ("cut" in name or ("once" in name and TRIES[key] % 2))
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(os.environ["BEHIND"]))) as behind:
            behind.sendall(head)
            passed = 0
            while piece := behind.recv(65536):
                piece = piece[: CUT - passed] if cut else piece
                self.request.sendall(piece)
                passed += len(piece)
                if cut and passed >= CUT:
                    return


class _Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextlib.contextmanager
def process(*arguments: str, **environment: str) -> Iterator[int]:
    """A server in a process of its own; the answer is its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *(argument.format(port=port) for argument in arguments)]
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "rules")])}
    null = subprocess.DEVNULL
    with subprocess.Popen(
        command, env={**os.environ, **path, **environment}, stdin=null, stdout=null, stderr=null
    ) as server:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if server.poll() is not None:
                    raise RuntimeError(f"{command} ended with {server.returncode}")
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()
            server.wait()


def files(folder: Path) -> contextlib.AbstractContextManager[int]:
    """A web server of a folder."""
    return process("-m", "tests.servers", "files", "{port}", str(folder))


def s3() -> contextlib.AbstractContextManager[int]:
    """An S3 server."""
    return process("-m", "moto.server", "-p", "{port}")


def hub(folder: Path) -> contextlib.AbstractContextManager[int]:
    """A hub with one data set, ``me/set``."""
    return process("-m", "tests.servers", "hub", "{port}", str(folder))


def between(behind: int) -> contextlib.AbstractContextManager[int]:
    """What cuts off the answers of another server."""
    return process("-m", "tests.servers", "between", "{port}", BEHIND=str(behind))


def _main(what: str, port: str, *folder: str) -> None:
    if what in {"files", "hub"}:
        os.chdir(folder[0])
        ThreadingHTTPServer(("127.0.0.1", int(port)), Files if what == "files" else Hub).serve_forever()
    else:
        _Threads(("127.0.0.1", int(port)), Between).serve_forever()


if __name__ == "__main__":
    _main(*sys.argv[1:])
