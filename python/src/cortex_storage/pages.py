"""Small questions to web servers, asked with the standard library: obstore reads no page of unknown length."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

_CONNECT_TIMEOUT = 5
_QUIET_TIMEOUT = 20
_LONGEST_PAGE = 16 << 20


@dataclass(frozen=True)
class Page:
    """What a server answered."""

    status: int
    url: str
    """After redirects."""
    headers: dict[str, str]
    """Names in lower case."""
    text: str


class _Patience:
    """Connects within seconds, and then waits as long as answers may take."""

    timeout: Any
    sock: Any

    def connect(self) -> None:
        patience, self.timeout = self.timeout, _CONNECT_TIMEOUT
        super().connect()  # type: ignore[misc]
        self.sock.settimeout(patience)


class _PlainConnection(_Patience, http.client.HTTPConnection):
    pass


class _SafeConnection(_Patience, http.client.HTTPSConnection):
    pass


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_PlainConnection, req)


class _SafeHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_SafeConnection, req)


def ask(url: str, method: str = "GET") -> Page:
    """The server's answer, whatever its status.

    Raises:
        OSError: where there is none (`http.client.HTTPException` where it is no HTTP).
    """
    opener = urllib.request.build_opener(_PlainHandler, _SafeHandler)
    request = urllib.request.Request(
        url, method=method, headers={"User-Agent": "cortex", "Accept": "text/html,*/*;q=0.1"}
    )
    try:
        with opener.open(request, timeout=_QUIET_TIMEOUT) as answer:
            return _page(answer)
    except urllib.error.HTTPError as error:
        with error:
            return _page(error)


def _page(answer: Any) -> Page:
    text = answer.read(_LONGEST_PAGE + 1)
    if len(text) > _LONGEST_PAGE:
        raise OSError(f"its page is longer than {_LONGEST_PAGE >> 20} MiB")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    charset = answer.headers.get_content_charset("utf-8")
    try:
        return Page(answer.status, answer.url, headers, text.decode(charset, "replace"))
    except LookupError:
        return Page(answer.status, answer.url, headers, text.decode("utf-8", "replace"))


def bucket_region(url: str) -> str | None:
    """Where a bucket is. S3 says so in whatever it answers, a refusal included; None where it does not answer."""
    try:
        return ask(url, "HEAD").headers.get("x-amz-bucket-region")
    except (OSError, http.client.HTTPException):
        return None
