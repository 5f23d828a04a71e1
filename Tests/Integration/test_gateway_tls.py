"""HTTPS: handshakes, certificates that change, and both protocols over it (`faults.md` A21)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import requests

from blackbox import certificates
from blackbox.certificates import Certificate
from blackbox.conditions import eventually
from blackbox.http import Answer, RawConnection
from blackbox.project import API, write
from blackbox.secure import port, tls, url
from blackbox.server import Cortex, Server


@pytest.fixture(params=["http1", "http2"])
def client(request: pytest.FixtureRequest, certificate: Certificate) -> Iterator[httpx.Client]:
    """A client of either protocol over TLS."""
    with httpx.Client(
        http2=request.param == "http2", verify=certificate.trust(), timeout=60, trust_env=False
    ) as client:
        yield client


def version(client: httpx.Client) -> str:
    """What the client is to speak."""
    return "HTTP/2" if client._transport._pool._http2 else "HTTP/1.1"  # type: ignore[attr-defined]


# Both protocols


def test_a_prediction(secure: Server, client: httpx.Client) -> None:
    answer = client.post(url(secure, "/echo"), json={"a": 1}, headers={"X-Request-ID": f"p-{version(client)[5]}"})
    assert (answer.status_code, answer.json()) == (200, {"a": 1})
    assert answer.http_version == version(client)
    assert answer.headers["x-request-id"] == f"p-{version(client)[5]}"
    assert "total;dur=" in answer.headers["server-timing"]
    assert "date" in answer.headers and answer.headers["content-length"] == str(len(answer.content))


def test_all_kinds_of_answers(secure: Server, client: httpx.Client) -> None:
    assert client.get(url(secure, "/livez")).text == "ok\n"
    assert client.get(url(secure, "/readyz")).json()["ready"] is True
    assert client.get(url(secure, "/echo")).json()["message"]
    head = client.head(url(secure, "/echo"))
    assert head.status_code == 200 and head.content == b""
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    assert client.options(url(secure, "/echo"), headers=preflight).headers["access-control-allow-origin"] == "*"
    empty = client.post(url(secure, "/echo?empty"))
    assert (empty.status_code, empty.content, empty.headers["x-own"]) == (204, b"", "spaced")
    nothing = client.post(url(secure, "/nothing"))
    assert nothing.status_code == 404 and nothing.json()["request_id"] == nothing.headers["x-request-id"]
    assert client.put(url(secure, "/echo")).headers["allow"]
    assert client.post(url(secure, "/echo?raise")).status_code == 500
    assert client.post(url(secure, "/locked"), json=1).status_code == 401
    assert client.post(url(secure, "/locked"), json=1, headers={"X-API-Key": "k-1"}).json() == 1
    streamed = client.post(url(secure, "/echo?stream=5000"))
    assert streamed.content == b"".join(b"%06d" % i for i in range(5000))


def test_it_is_logged_and_counted_as_everywhere(secure: Server, client: httpx.Client) -> None:
    before = secure.metrics("cortex_requests_total", api="echo", code="200")
    request_id = f"logged-{version(client)[5]}"
    client.post(url(secure, "/echo?size=3"), headers={"X-Request-ID": request_id})
    eventually(lambda: secure.access_lines(request_id), "the access line is written")
    lines = secure.access_lines(request_id)
    assert len(lines) == 1, lines
    line = lines[0]
    found = (line["status"], line["bytes_out"], line["method"], line["path"], line["client"])
    assert found == (200, 3, "POST", "/echo", "127.0.0.1")
    assert secure.metrics("cortex_requests_total", api="echo", code="200") == before + 1


def test_large_bodies_in_both_directions(secure: Server, client: httpx.Client) -> None:
    body = os.urandom(1 << 20) * 12
    answer = client.post(url(secure, "/echo?hash"), content=body)
    assert answer.json() == {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
    size = (12 << 20) + 7
    answer = client.post(url(secure, f"/echo?size={size}"))
    assert answer.content == b"\xe9" * size
    body = os.urandom(1_000_000)
    assert client.post(url(secure, "/echo"), content=body).content == body, "one that stays in memory"
    assert client.post(url(secure, "/echo"), json=1).json() == 1, "the connection goes on"


def test_nothing_is_sent_of_an_answer_whose_worker_dies_midway(
    secure: Server, client: httpx.Client, folder: Path
) -> None:
    name = f"midway-{version(client)[5]}"
    source = (Path(__file__).parent / "predictors" / "faulty.py").read_text()
    secure.deploy(write(folder / name, {"predictor.py": source}, API(name)))
    answer = client.post(url(secure, f"/{name}?fault=half-answer"), json={})
    assert (answer.status_code, answer.json()["code"]) == (502, "WORKER_CRASHED")
    assert client.post(url(secure, "/echo"), json=1).json() == 1, "the connection goes on"


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_many_at_once(secure: Server, certificate: Certificate, http2: bool) -> None:
    # Not by threads: httpcore's connection of HTTP/2 is no safe place for them. It numbers a stream and sends its head
    # under no common lock, so numbers leave out of order, which ends the connection (RFC 9113, 5.1.1).
    async def ask() -> list[int]:
        limits = httpx.Limits(max_connections=1 if http2 else 16)
        verify = certificate.trust()
        async with httpx.AsyncClient(http2=http2, verify=verify, limits=limits, timeout=60, trust_env=False) as client:
            posts = (client.post(url(secure, "/echo"), json=n) for n in range(200))
            return [answer.json() for answer in await asyncio.gather(*posts)]

    assert asyncio.run(ask()) == list(range(200))


# TLS


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_refused(secure: Server, certificate: Certificate) -> None:
    for oldest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = certificate.trust()
        context.minimum_version = context.maximum_version = oldest
        assert requests_over(secure, context) == 200
    context = certificate.trust()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError, match=r"(?i)protocol|version"):
        requests_over(secure, context)


def requests_over(server: Server, context: ssl.SSLContext) -> int:
    """The status of a good request."""
    with httpx.Client(verify=context, trust_env=False) as client:
        return client.get(url(server, "/livez")).status_code


def test_A21_plain_http_is_told_so_at_once(secure: Server) -> None:
    # Before the time for a handshake is over: that ends a connection without a word.
    for data in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 100):
        with RawConnection(port(secure)) as connection:
            connection.send(data)
            answer = connection.answer("GET")
            assert isinstance(answer, Answer) and answer.status == 400
            assert b"HTTPS" in answer.body
    assert requests.get(secure.url("/livez"), timeout=60).status_code == 200


def test_a_handshake_that_does_not_end_is_ended(secure: Server) -> None:
    begun = [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]
    with ExitStack() as stack:
        connections = [stack.enter_context(RawConnection(port(secure))) for _ in begun]
        for connection, data in zip(connections, begun):
            connection.send(data)
        assert all(connection.is_closed() for connection in connections)
    log = secure.home / "logs" / "access.log"
    eventually(lambda: log.read_text().count("HANDSHAKE_TIMEOUT") >= len(begun), "the log tells why")


def test_a_broken_handshake_closes(secure: Server) -> None:
    with RawConnection(port(secure)) as connection:
        connection.send(b"\x16\x03\x01\x00\x05hello")
        assert b"".join(connection.pieces())[:1] in (b"", b"\x15")  # an alert, at most


# Certificates that change


def served(server: Server) -> int:
    """The serial number of the certificate that a new connection is shown."""
    from cryptography import x509

    pem = ssl.get_server_certificate(("127.0.0.1", port(server)), timeout=60)
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_a_renewed_certificate_is_shown_and_open_connections_stay(binary: Path, folder: Path) -> None:
    first = certificates.make(folder / "1")
    # As Kubernetes and cert-manager have it: links to a link, which is replaced.
    (folder / "data").symlink_to("1")
    for file in ("server.pem", "server.key"):
        (folder / file).symlink_to(f"data/{file}")
    settings = tls(folder / "server.pem", folder / "server.key")
    with Server(binary, folder / "home", None, **settings) as server:
        assert served(server) == first.serial
        kept = {
            http2: httpx.Client(http2=http2, verify=first.trust(), trust_env=False, timeout=60)
            for http2 in (True, False)
        }
        for client in kept.values():
            assert client.get(url(server, "/livez")).status_code == 200
        second = certificates.make(folder / "2")
        (folder / "new").symlink_to("2")
        os.replace(folder / "new", folder / "data")
        eventually(lambda: served(server) == second.serial, "the new certificate is shown")
        for client in kept.values():
            # A new connection would be shown the certificate that it does not trust.
            assert client.get(url(server, "/livez")).status_code == 200
            client.close()

        # A broken one is not used.
        (folder / "2" / "server.pem").write_text("-----BEGIN CERTIFICATE-----\nnothing\n")
        eventually(lambda: "the new certificate is not used" in server.output.read_text(), "it is told")
        assert served(server) == second.serial
        # Another's key neither; nor is it told again and again.
        third = certificates.make(folder / "3")
        (folder / "2" / "server.pem").write_bytes(third.certificate.read_bytes())
        eventually(lambda: "does not belong to" in server.output.read_text(), "it is told")
        assert served(server) == second.serial
        (folder / "2" / "server.key").write_bytes(third.key.read_bytes())
        eventually(lambda: served(server) == third.serial, "the pair is whole")
        assert server.output.read_text().count("does not belong to") == 1


def test_what_cannot_be_used_is_refused_at_the_start(cortex: Cortex, folder: Path) -> None:
    good = certificates.make(folder / "good")
    other = certificates.make(folder / "other")
    empty = folder / "empty.pem"
    empty.write_text("")
    exposed = folder / "exposed.key"
    exposed.write_bytes(good.key.read_bytes())
    exposed.chmod(0o644)
    for certificate, key, expected in (
        (good.certificate, other.key, [str(other.key), "does not belong to", str(good.certificate)]),
        (good.certificate, exposed, [str(exposed), "every user", "chmod"]),
        (empty, good.key, [str(empty), "no certificate"]),
        (good.certificate, good.certificate, [str(good.certificate)]),
        (folder / "none", good.key, [str(folder / "none"), "No such file"]),
        (folder, good.key, [str(folder), "not a file"]),
    ):
        flags = ("--tls-certificate", certificate, "--tls-key", key, "--tls-port", "0")
        done = cortex.run("server", "run", *flags, within=60)
        assert done.returncode == 1, (certificate, key, done.stdout, done.stderr)
        for words in expected:
            assert words in done.stderr, done.stderr
    refused: list[tuple[list[str | Path], str]] = [
        (["--tls-certificate", good.certificate], "--tls-key"),
        (["--tls-key", good.key], "--tls-certificate"),
        (["--tls-only"], "--tls-certificate"),
    ]
    for arguments, words in refused:
        done = cortex.run("server", "run", *arguments, within=60)
        assert done.returncode == 2 and words in done.stderr, done.stderr


def test_tls_only_leaves_plain_http_to_this_machine(binary: Path, folder: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address beside loopback")
        address = probe.getsockname()[0]
    made = certificates.make(folder / "tls")
    settings = {**tls(made.certificate, made.key), "CORTEX_HOST": "0.0.0.0", "CORTEX_TLS_ONLY": "1"}
    with Server(binary, folder / "home", None, **settings) as server:
        assert server.get("/livez").status_code == 200
        with socket.create_connection((address, port(server)), timeout=60):
            pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, server.port), timeout=60)
