"""What a laptop or a pipeline says to a service."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from datalint.core.errors import DatalintError
from datalint.core.project import install

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report

TOKEN: Final = "DATALINT_TOKEN"  # noqa: S105 - a name
"""Environment variable with the token."""


class Client:
    """A service, and who asks it.

    Args:
        url: such as ``https://datalint.example``.
        token: by which it knows who asks; that of the environment variable ``DATALINT_TOKEN`` if not given.

    Raises:
        DatalintError: of each call, if the service cannot be reached or refuses; the message says why.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        token = token or os.environ.get(TOKEN)
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def push(self, report: Report, dataset: str, *, ref: str = "", revision: str = "") -> dict[str, Any]:
        """Send the report of a scan; the scan as the service knows it. Sent twice, it is one scan."""
        params = {"dataset": dataset, "ref": ref, "revision": revision}
        return self._ask("POST", "/reports", params=params, content=report.to_json())

    def upload(self, file: str | Path, dataset: str, *, revision: str = "") -> dict[str, Any]:
        """Send a file, such as an archive, to be scanned and removed; the scan that waits."""
        from pathlib import Path

        params = {"dataset": dataset, "file": Path(file).name, "revision": revision}
        try:
            with Path(file).open("rb") as data:
                return self._ask("POST", "/uploads", params=params, content=data)
        except OSError as error:
            raise DatalintError(f"{file}: {error.strerror}") from error

    def gate(self, dataset: str) -> dict[str, Any]:
        """The verdict on the last version: ``passed`` and ``reasons``."""
        return self._ask("GET", f"/datasets/{_part(dataset)}/gate")

    def scan(
        self, dataset: str, *, root: str | None = None, path: str = "", revision: str = "", timeout: float = 3600
    ) -> Report:
        """Have a data set scanned where the service runs, and wait for the report.

        With a root of the service and a path below it, what lies there is a data set from then on.
        """
        from datalint.report.models import Report

        until = time.monotonic() + timeout
        asked = {"dataset": dataset, "root": root, "path": path, "revision": revision}
        scan = self._ask("POST", "/scans", json=asked)
        while scan["status"] in ("queued", "running"):
            if time.monotonic() > until:
                raise DatalintError(f"scan {scan['id']} took longer than {timeout:,.0f} seconds; it goes on")
            time.sleep(0.5)
            scan = self._ask("GET", f"/scans/{scan['id']}")
        if scan["status"] != "done":
            raise DatalintError(f"scan {scan['id']} {scan['status']}: {scan['reason']}")
        return Report.model_validate(self._ask("GET", f"/scans/{scan['id']}/report.json"))

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            import httpx2
        except ImportError as error:
            raise DatalintError(f"this needs the package httpx2: {install('service')}") from error
        options |= {"headers": self._headers, "timeout": 60, "trust_env": False}
        try:
            answer = httpx2.request(method, f"{self._url}/api/v1{path}", **options)
            body = answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise DatalintError(f"no answer from {self._url}: {error or type(error).__name__}") from error
        if answer.status_code >= 400 or not isinstance(body, dict):
            detail = body.get("detail") if isinstance(body, dict) else None
            raise DatalintError(f"{self._url} refuses: {detail or answer.status_code}")
        return body


def _part(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
