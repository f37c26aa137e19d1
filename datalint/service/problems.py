"""What could not be done, in one line; for programs as RFC 9457 says it."""

from __future__ import annotations

from http import HTTPStatus

from fastapi.responses import JSONResponse


class Problem(Exception):
    """An answer other than what was asked for."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers

    def body(self) -> dict[str, str | int]:
        """As RFC 9457 has it."""
        title = HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}

    def response(self) -> JSONResponse:
        """The same as a response."""
        return JSONResponse(self.body(), self.status, self.headers, media_type="application/problem+json")
