"""The admin port is for this machine, and for no page of another site: row H14 of the faults."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests

from blackbox.http import exchange
from blackbox.server import Server


def token(server: Server) -> str:
    """What the command line authorises itself with."""
    return (server.home / "tokens" / "local.token").read_text().strip()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/deploy"),
        ("POST", "/v1/tokens"),
        ("GET", "/v1/apis"),
        ("DELETE", "/v1/apis/any"),
        ("OPTIONS", "/v1/deploy"),
    ],
)
def test_H14_a_page_of_another_site_can_do_nothing(server: Server, method: str, path: str) -> None:
    """Nor may it even ask whether it could."""
    page = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    body = '{"config": "", "project": ""}'
    answer = requests.request(method, server.operator + path, headers=page, data=body, timeout=60)
    assert answer.status_code in ((401,) if method != "OPTIONS" else (401, 404, 405)), answer.text
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")], answer.headers


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8889", "127.0.0.1.evil.example", "localhost.evil.example:8889", ""],
)
def test_H14_another_name_that_resolves_to_it_is_refused(server: Server, host: str) -> None:
    port = int(server.operator.rsplit(":", 1)[1])
    requests_ = [("GET", path) for path in ("/v1/apis", "/metrics", "/readyz", "/livez")]
    for method, path in [*requests_, ("POST", "/v1/deploy"), ("DELETE", "/v1/apis/any")]:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token(server)}"]
        head = "\r\n".join([*lines, "Content-Length: 0", "Connection: close", "", ""])
        answer = exchange(port, head.encode(), method=method)
        assert answer is not None, (method, path)
        assert answer.status in ((421,) if host else (400, 403, 421)), (method, path, answer)
        if answer.status == 421:
            assert b"FOREIGN_HOST" in answer.body, (method, path, answer)


def test_H14_the_admin_port_is_on_loopback_alone(binary: Path, folder: Path) -> None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only finds the address that one would use
            address = probe.getsockname()[0]
    except OSError:
        pytest.skip("this machine has no address beside loopback")
    if address.startswith("127."):
        pytest.skip("this machine has no address beside loopback")
    with Server(binary, folder / "home", None, CORTEX_HOST="0.0.0.0") as server:
        assert requests.get(f"http://{address}:{server.port}/livez", timeout=60).status_code == 200
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, server.status["operator_port"]), timeout=60)
