"""Files of web servers."""

from __future__ import annotations

import contextlib
import html
import re
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from datalint.core.network import is_private
from datalint.sources.remote.base import (
    PIECE,
    Found,
    NoRanges,
    NotListed,
    Status,
    Store,
    Unsteady,
    steadily,
)
from datalint.sources.remote.url import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.remote.path import RemotePath

CONNECT, SILENCE = 10.0, 30.0
"""Seconds to wait for a connection, and for the next byte."""

SLOWEST: Final = 2_000
"""Bytes a second that an answer must bring on the whole, or a scan would never end."""

REDIRECTS: Final = 10
PAGE: Final = 16 << 20
"""Bytes of the page that lists a folder."""

DEEPEST, FOLDERS = 30, 10_000
"""Folders within each other, and all of them, that are listed."""

AT_ONCE: Final = 16
"""Files that are asked for at the same time."""

LARGEST_WHOLE: Final = 1 << 30
"""Bytes of a file of unknown size that is read in one go."""

LONGEST_WAIT: Final = 10.0
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_INDEX: Final = re.compile(rb"(?i)index of|directory listing|listing of|folder listing")
_LINK: Final = re.compile(rb"""(?is)<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"'\s>]+))""")
_WHOLE: Final = re.compile(r"bytes (?:\d+-\d+|\*)/(\d+)")


class Web(Store):
    """Web servers: files by ranges where the server knows them, folders by the pages that list them."""

    def __init__(self) -> None:
        from urllib.request import getproxies

        import urllib3

        self._settings: dict[str, Any] = {
            "timeout": urllib3.Timeout(connect=CONNECT, read=SILENCE),
            "maxsize": AT_ONCE,
            "retries": urllib3.Retry(total=None, connect=0, read=0, other=0, status=0, redirect=0),
        }
        self._direct = urllib3.PoolManager(**self._settings)
        self._proxies = {
            scheme: urllib3.ProxyManager(url, **self._settings)
            for scheme, url in getproxies().items()
            if scheme in {"http", "https"}
        }

    def status(self, path: RemotePath) -> Status:
        """By asking for the first byte: servers that sign what may be got allow nothing else."""
        with self._answer(path, {"Range": "bytes=0-0"}) as answer:
            if answer.status == 416:
                return Status(0, _time(answer), _tag(answer))
            told = _WHOLE.match(answer.headers.get("Content-Range", "")) if answer.status == 206 else None
            if told:
                return Status(int(told[1]), _time(answer), _tag(answer))
            if _is_page(answer):
                page = answer.read(PAGE, decode_content=True)
                if _INDEX.search(page[:4096]):
                    return Status(0, folder=True)
                if not path.suffix or path.suffix.lower() in {".html", ".htm", ".php"}:
                    raise NotListed(
                        "it is a web page, and no data: give the URL of a file, or of a folder that its server lists"
                    )
            length = answer.headers.get("Content-Length", "")
            size = int(length) if length.isdigit() else -1
            return Status(size, _time(answer), _tag(answer), ranges=False)

    def listed(self, path: RemotePath) -> Iterator[Found]:
        """What the pages link to that lies below, folder by folder."""
        folders: list[tuple[str, ...]] = [()]
        seen = set(folders)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while folders:
                place = folders.pop()
                page = steadily(lambda place=place: self._page(path.joinpath(*place)))  # type: ignore[misc]
                files = []
                for name, inner in _links(page, path.joinpath(*place).target):
                    inside = (*place, name)
                    if inside in seen or len(inside) > DEEPEST or len(seen) > FOLDERS:
                        continue
                    if inner:
                        seen.add(inside)
                        folders.append(inside)
                    else:
                        files.append(inside)
                for inside, status in zip(
                    files, pool.map(lambda inside: self._known(path.joinpath(*inside)), files), strict=True
                ):
                    yield Found(inside, status)

    def _known(self, path: RemotePath) -> Status:
        try:
            return steadily(lambda: self.status(path))
        except OSError:
            return Status(0)  # reading it says why

    def _page(self, path: RemotePath) -> bytes:
        with self._answer(path, {}, folder=True) as answer:
            if not _is_page(answer):
                raise NotListed("its server lists no files")
            page: bytes = answer.read(PAGE, decode_content=True)
            return page

    def read(self, path: RemotePath, start: int, stop: int, status: Status) -> bytes:
        """A range; of a server that knows none the beginning."""
        if not status.ranges and (start > 0 or status.size < 0):
            raise NoRanges(f"{path} is given whole or not at all")
        with self._answer(path, {"Range": f"bytes={start}-{stop - 1}"}) as answer:
            whole = answer.status == 200
            if whole and start > 0:
                raise NoRanges(f"{path} is given whole or not at all")
            told = _WHOLE.match(answer.headers.get("Content-Range", ""))
            size = (
                int(told[1])
                if told
                else int(answer.headers.get("Content-Length", status.size))
                if whole
                else status.size
            )
            if size != status.size or _tag(answer) != status.tag:
                self._changed(path)
            return _body(answer, stop - start)

    def whole(self, path: RemotePath, most: int | None) -> bytes:
        """In one go."""
        with self._answer(path, {}) as answer:
            length = answer.headers.get("Content-Length", "")
            size = int(length) if length.isdigit() else LARGEST_WHOLE
            if most is not None:
                size = min(size, most + 1)
            return _body(answer, size, short=not length.isdigit())

    def copy(self, path: RemotePath, file: IO[bytes], status: Status) -> None:
        """By ranges, or in one go where there are none."""
        if status.ranges:
            super().copy(path, file, status)
            return

        def once() -> None:
            file.seek(0)
            file.truncate()
            with self._answer(path, {}) as answer:
                length = answer.headers.get("Content-Length", "")
                while data := _body(answer, PIECE, short=True):
                    file.write(data)
                    if file.tell() > _most(status):
                        raise OSError("it is larger than any copy that is made")
                if length.isdigit() and file.tell() != int(length):
                    raise Unsteady(f"the answer broke off after {file.tell():,} of {int(length):,} bytes")

        steadily(once)

    def _changed(self, path: RemotePath) -> None:
        from datalint.sources.remote.stores import known

        known().forget(path)
        raise OSError("it was changed while it was read")

    @contextlib.contextmanager
    def _answer(self, path: RemotePath, headers: dict[str, str], folder: bool = False) -> Iterator[Any]:
        """The server's answer, of which the body is yet to be read.

        Raises:
            OSError: there is none, or it is not the file.
        """
        import urllib3

        proxy = self._proxies.get(path.scheme)
        if proxy is not None:
            from urllib.request import proxy_bypass

            proxy = None if proxy_bypass(path.host) else proxy
        sent = {"Accept-Encoding": "identity", "User-Agent": "datalint", **headers}
        if path.login:
            sent |= urllib3.make_headers(basic_auth=unquote(path.login))
        target = path.target
        if folder and not target.partition("?")[0].endswith("/"):
            target = target.replace("?", "/?", 1) if "?" in target else f"{target}/"
        try:
            answer = _followed(proxy or self._direct, f"{path.scheme}://{path.host}{target}", sent, proxy is None)
        except urllib3.exceptions.HTTPError as error:
            raise _failure(error) from error
        try:
            _check(answer)
            yield answer
        except urllib3.exceptions.HTTPError as error:
            raise _failure(error) from error
        finally:
            # What is left unread belongs to no other answer.
            if answer.length_remaining == 0:
                answer.release_conn()
            else:
                answer.close()


def _followed(pool: Any, url: str, headers: dict[str, str], resolved: bool) -> Any:
    """The answer after all redirects, none of which leads from a public server into the network of this machine.

    A login is not told to another server. Behind a proxy, which resolves names itself (``resolved`` is False), the proxy decides.
    """
    begun = urlsplit(url)
    for _ in range(REDIRECTS + 1):
        answer = pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        place = answer.get_redirect_location()
        if not place:
            return answer
        answer.drain_conn()
        answer.release_conn()
        url = urljoin(url, place)
        there = urlsplit(url)
        if there.scheme not in {"http", "https"} or not there.hostname:
            raise OSError("the server redirects to what is no web address")
        if there.netloc != begun.netloc:
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            if resolved and not _private(begun) and _private(there):
                raise OSError("the server redirects to an address of a private network")
    raise OSError(f"more than {REDIRECTS} redirects, one to the next")


def _private(parts: SplitResult) -> bool:
    try:
        return is_private(parts.hostname or "", parts.port)
    except OSError:
        return False  # the connection fails by itself


def _most(status: Status) -> int:
    from datalint.sources.remote.scratch import LARGEST

    return status.size if status.size >= 0 else LARGEST


def _check(answer: Any) -> None:
    status: int = answer.status
    if status in {200, 206, 416}:
        return
    words = f"the server answers {status} {answer.reason or ''}".strip()
    if status in _AGAIN:
        told = answer.headers.get("Retry-After", "")
        raise Unsteady(words, min(float(told), LONGEST_WAIT) if told.isdigit() else 0.0)
    if status in {404, 410}:
        raise FileNotFoundError(2, f"there is no such file ({words})")
    if status in {401, 403, 407}:
        raise PermissionError(13, f"it may not be read ({words}): check the URL, and the login or signature in it")
    raise OSError(words)


def _failure(error: Exception) -> OSError:
    """What happened, in words without the URL, which may hold a signature."""
    import urllib3.exceptions as e

    inner: BaseException = getattr(error, "reason", None) or error
    if isinstance(inner, e.NameResolutionError):
        return OSError("there is no server of that name, or no network")
    if isinstance(inner, e.SSLError):
        return OSError(f"no trusted connection: {masked(str(inner))[:120]}")
    if isinstance(inner, e.NewConnectionError):
        return Unsteady("no connection to the server")
    if isinstance(inner, (e.ConnectTimeoutError, e.ReadTimeoutError, TimeoutError)):
        return Unsteady("the server does not answer in time")
    if isinstance(inner, e.LocationValueError):
        return OSError("that is no URL of a server")
    if isinstance(inner, (e.IncompleteRead, e.ProtocolError)):
        return Unsteady("the connection broke off")
    return Unsteady(f"no connection to the server ({type(inner).__name__})")


def _body(answer: Any, size: int, short: bool = False) -> bytes:
    """So many bytes of an answer; what comes too slowly is given up."""
    begun, held, got = time.monotonic(), [], 0
    while got < size:
        data = answer.read(min(1 << 20, size - got), decode_content=False)
        if not data:
            break
        held.append(data)
        got += len(data)
        if time.monotonic() - begun > 2 * SILENCE + got / SLOWEST:
            raise Unsteady("the server answers too slowly")
    if got < size and not short:
        raise Unsteady(f"the answer broke off after {got:,} of {size:,} bytes")
    return b"".join(held)


def _is_page(answer: Any) -> bool:
    return answer.status in {200, 206} and answer.headers.get("Content-Type", "").lower().startswith("text/html")


def _tag(answer: Any) -> str:
    tag: str = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else str(answer.headers.get("Last-Modified", ""))


def _time(answer: Any) -> float:
    try:
        return parsedate_to_datetime(answer.headers.get("Last-Modified", "")).timestamp()
    except (TypeError, ValueError):
        return 0.0


def _links(page: bytes, base: str) -> Iterator[tuple[str, bool]]:
    """The names of files and folders that a page of a folder links to, and which are folders."""
    base = unquote(base.partition("?")[0]).rstrip("/") + "/"
    for match in _LINK.finditer(page):
        link = urlsplit(html.unescape(next(filter(None, match.groups()), b"").decode("utf-8", "replace")))
        if link.scheme or link.netloc or not link.path or link.query:
            continue
        place = unquote(link.path)
        place = place.removeprefix(base) if place.startswith("/") else place.removeprefix("./")
        name = place.rstrip("/")
        if name and "/" not in name and name not in {".", ".."} and "\0" not in name:
            yield name, place.endswith("/")
