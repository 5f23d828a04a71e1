"""Folders of web servers, and the two other clouds as far as a small server can play them."""

from __future__ import annotations

import http.server
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from storage import web as faulty
from storage.peer import Fault, files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from storage.peer import Agent
    from storage.web import WebServer


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "served"
    (root / "my models" / "1" / "deep").mkdir(parents=True)
    (root / "my models" / "1" / "a b#c%20.txt").write_bytes(b"odd name")
    (root / "my models" / "1" / "deep" / "é.bin").write_bytes(b"\0" * 1000)
    (root / "my models" / "2").mkdir()
    (root / "my models" / "2" / "big").write_bytes(bytes(40 << 20))
    (root / "elsewhere").write_bytes(b"no part of it")
    return root


@pytest.fixture
def python_server(folder: Path) -> Iterator[str]:
    """What `python -m http.server` runs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", ["my models", "my%20models"])
def test_pythons_server(path: str, python_server: str, folder: Path, start: Callable[..., Agent]) -> None:
    agent = start()
    root = f"{python_server}/{path}/"
    listing = agent.listing(root)
    assert [(entry["path"], entry["size"]) for entry in listing] == [
        ("1/a b#c%20.txt", 8),
        ("1/deep/é.bin", 1000),
        ("2/big", 40 << 20),
    ]
    assert listing[0]["modified"] // 1000 == int((folder / "my models" / "1" / "a b#c%20.txt").stat().st_mtime)
    # It knows neither tags nor ranges.
    assert files(agent.fetch(root, listing)) == files(folder / "my models")


def test_the_whole_server(python_server: str, start: Callable[..., Agent]) -> None:
    assert "my models/1/deep/é.bin" in start().paths(f"{python_server}/")


def test_a_missing_folder_and_a_file(python_server: str, start: Callable[..., Agent]) -> None:
    agent = start()
    with pytest.raises(Fault, match=r"notFound: http://127.0.0.1:\d+/nothing/ is not there"):
        agent.listing(f"{python_server}/nothing/")
    with pytest.raises(Fault, match=r"(notFound|unsupported): http://127.0.0.1:\d+/elsewhere/"):
        agent.listing(f"{python_server}/elsewhere/")
    with pytest.raises(
        Fault, match=r"unreachable: http://127.0.0.1:9/x/: cannot reach http://127.0.0.1:9: Connection refused"
    ):
        agent.listing("http://127.0.0.1:9/x/")


def test_a_large_file_is_asked_for_in_parts_and_each_part_once(web: WebServer, start: Callable[..., Agent]) -> None:
    web.objects |= {"/m/big": os.urandom(1 << 20) * 40, "/m/a": b"small"}
    agent = start()
    entries = [web.entry(f"/m/{name}", name) for name in ("a", "big")]
    assert files(agent.fetch(f"{web.url}/m/", entries)) == {"a": b"small", "big": web.objects["/m/big"]}
    asked = sorted(headers["range"] for headers in web.gets("/m/big"))
    assert asked == sorted(["bytes=0-16777215", "bytes=16777216-33554431", "bytes=33554432-41943039"])


APACHE = b"""<html><body><table>
<tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td><a href="/m/">Parent Directory</a></td></tr>
<tr><td><A HREF='model.onnx'>model.onnx</A></td></tr>
<tr><td><a href="sub%20folder/">sub folder/</a></td></tr>
<tr><td><a href="https://elsewhere.example/x">advert</a></td></tr>
<tr><td><a href="/m/other/y">beside</a> <a href="../z">above</a></td></tr>
<tr><td><a href="#top">top</a> <a href="mailto:me@example.org">mail</a></td></tr>
</table></body></html>"""


def test_an_apache_page(web: WebServer, start: Callable[..., Agent]) -> None:
    web.pages |= {
        "/m/iris/": ("text/html;charset=UTF-8", APACHE),
        "/m/iris/sub%20folder/": ("text/html", b'<a href="../">../</a><a href="weights">weights</a>'),
    }
    web.objects |= {"/m/iris/model.onnx": b"12345", "/m/iris/sub%20folder/weights": b"1"}
    agent = start()
    listing = agent.listing(f"{web.url}/m/iris/")
    assert [entry["path"] for entry in listing] == ["model.onnx", "sub folder/weights"]
    assert all(entry["tag"] for entry in listing)
    assert files(agent.fetch(f"{web.url}/m/iris/", listing)) == {"model.onnx": b"12345", "sub folder/weights": b"1"}


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("..%2f..%2fetc%2fpasswd", "2/..\\u{2f}..\\u{2f}etc\\u{2f}passwd"),
        ("a%2fb", "2/a\\u{2f}b"),
        ("a%00b/", "2/a\\u{0}b"),
        ("%2e%2e%2fx", "2/..\\u{2f}x"),
    ],
)
def test_a_link_to_an_impossible_name_is_a_flaw(
    link: str, path: str, web: WebServer, start: Callable[..., Agent]
) -> None:
    web.pages["/m/"] = ("text/html", b'<a href="1/">x</a><a href="2/">x</a>')
    web.pages["/m/1/"] = ("text/html", b'<a href="a">x</a>')
    web.pages["/m/2/"] = ("text/html", f'<a href="{link}">x</a>'.encode())
    web.objects["/m/1/a"] = b"1234"
    listing = start().listing(f"{web.url}/m/")
    assert [entry["path"] for entry in listing] == ["1/a", path]
    assert "flaw" not in listing[0]
    assert listing[1]["flaw"].startswith(f"{web.url}/m/2/")
    assert " cannot be a file: " in listing[1]["flaw"]


def test_what_one_link_leads_to_harms_no_other(web: WebServer, start: Callable[..., Agent]) -> None:
    web.pages["/m/"] = ("text/html", b'<a href="1/">x</a><a href="2/">x</a><a href="3/">x</a><a href="4/">x</a>')
    web.pages["/m/1/"] = ("text/html", b'<a href="a">x</a>')
    web.pages["/m/3/"] = ("text/html", b'<a href="gone">x</a>')
    web.pages["/m/4/"] = ("text/plain", b"no page")
    web.faults["/m/2/"] = [faulty.Fault(status=403)]
    web.objects["/m/1/a"] = b"1234"
    listing = start().listing(f"{web.url}/m/")
    root = f"{web.url}/m"
    assert [(entry["path"], entry.get("flaw")) for entry in listing] == [
        ("1/a", None),
        ("2", f"{root}/2/: access is denied (status 403); check that it may be read without signing in"),
        ("3/gone", f"{root}/3/gone is linked to, and is not there"),
        ("4", f"{root}/4/ is no folder: the server gives no page that lists its files"),
    ]
    # A server that is down says nothing about one folder.
    web.faults["/m/2/"] = [faulty.Fault(status=500)]
    with pytest.raises(Fault, match=r"unreachable: http://.*/m/2/"):
        start().listing(f"{web.url}/m/")


def test_pages_that_lead_on_and_on_come_to_an_end(web: WebServer, start: Callable[..., Agent]) -> None:
    for depth in range(40):
        web.pages["/m/" + "d/" * depth] = ("text/html", b'<a href="d/">d</a>')
    agent = start()
    listing = agent.listing(f"{web.url}/m/")
    assert [entry["path"] for entry in listing] == ["/".join("d" * 32)]
    assert listing[0]["flaw"].endswith("/ is deeper than 32 folders")
    web.pages["/n/"] = ("text/html", b"".join(b'<a href="%d/">x</a>' % n for n in range(50)))
    with pytest.raises(Fault, match="tooMany: "):
        agent.listing(f"{web.url}/n/", limit=20)


def test_webdav_is_used_where_it_is_spoken(web: WebServer, start: Callable[..., Agent]) -> None:
    web.options_status, web.options_headers = 200, {"DAV": "1,2"}
    response = (
        "<D:response><D:href>/m/{}</D:href><D:propstat><D:prop><D:getlastmodified>Thu, 09 Oct 2025 08:53:20 GMT"
        "</D:getlastmodified><D:getcontentlength>{}</D:getcontentlength><D:resourcetype>{}</D:resourcetype></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
    body = response.format("", 0, "<D:collection/>") + response.format("1/a", 4, "")
    web.propfind = f'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{body}</D:multistatus>'.encode()
    web.objects["/m/1/a"] = b"1234"
    agent = start()
    assert agent.listing(f"{web.url}/m/") == [{"path": "1/a", "size": 4, "modified": 1760000000000, "tag": None}]
    assert web.requests[0][0] == "PROPFIND"


GCS = (
    b"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>"
    b"<Name>bucket</Name><IsTruncated>false</IsTruncated><Contents><Key>m/1/a</Key>"
    b"<LastModified>2025-10-09T08:53:20.000Z</LastModified><ETag>&quot;TAG&quot;</ETag><Size>4</Size></Contents>"
    b"</ListBucketResult>"
)


def test_google_cloud_storage(web: WebServer, start: Callable[..., Agent]) -> None:
    web.objects["/bucket/m%2F1%2Fa"] = b"1234"
    tag = web.entry("/bucket/m%2F1%2Fa", "")["tag"].strip('"').encode()
    web.pages["/bucket?list-type=2&prefix=m%2F"] = ("application/xml", GCS.replace(b"TAG", tag))
    agent = start(GOOGLE_BASE_URL=web.url, GOOGLE_BEARER_TOKEN="bearer")
    listing = agent.listing("gs://bucket/m/")
    assert files(agent.fetch("gs://bucket/m/", listing, "1/")) == {"a": b"1234"}
    assert web.gets("/bucket")[0]["authorization"] == "Bearer bearer"
    agent = start(GOOGLE_BASE_URL=web.url)
    assert agent.listing("gs://bucket/m/") == listing
    assert "authorization" not in web.gets("/bucket")[-1]


def gcs_page(prefix: str, keys: dict[str, str], folders: tuple[str, ...] = ()) -> tuple[str, bytes]:
    entries = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2025-10-09T08:53:20.000Z</LastModified>"
        f"<ETag>&quot;{tag}&quot;</ETag><Size>4</Size></Contents>"
        for key, tag in keys.items()
    )
    entries += "".join(f"<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>" for folder in folders)
    head = f"<Name>bucket</Name><Prefix>{prefix}</Prefix><IsTruncated>false</IsTruncated>"
    return "application/xml", f"<ListBucketResult>{head}{entries}</ListBucketResult>".encode()


def test_where_only_obstore_lists_a_bad_name_harms_its_folder(web: WebServer, start: Callable[..., Agent]) -> None:
    query, level = "/bucket?list-type=2&prefix=m%2F", "/bucket?list-type=2&delimiter=%2F&prefix=m%2F"
    good, bad = {"m/a/1/x": "1", "m/b/1/x": "2"}, {"m/b/2//x": "3"}
    web.pages |= {
        query: gcs_page("m/", good | bad),
        level: gcs_page("m/", {"m/notes": "4"}, ("m/a/", "m/b/")),
        query + "a%2F": gcs_page("m/a/", {"m/a/1/x": "1"}),
        query + "b%2F": gcs_page("m/b/", {"m/b/1/x": "2"} | bad),
        level + "b%2F": gcs_page("m/b/", {}, ("m/b/1/", "m/b/2/")),
        query + "b%2F1%2F": gcs_page("m/b/1/", {"m/b/1/x": "2"}),
        query + "b%2F2%2F": gcs_page("m/b/2/", bad),
        level + "b%2F2%2F": gcs_page("m/b/2/", {}, ("m/b/2//",)),
    }
    agent = start(GOOGLE_BASE_URL=web.url, GOOGLE_BEARER_TOKEN="bearer")
    listing = agent.listing("gs://bucket/m/")
    assert [entry["path"] for entry in listing if "flaw" not in entry] == ["a/1/x", "b/1/x", "notes"]
    assert [(entry["path"], entry["flaw"]) for entry in listing if "flaw" in entry] == [
        (
            "b/2",
            "gs://bucket/m/b/2// cannot be a file: its name has an empty part, '.' or '..' as a part, or a control "
            "character; rename or remove it",
        )
    ]
    # At the root there is no folder that would be its own.
    web.pages[level] = gcs_page("m/", {"m/a\tb": "5"}, ("m/a/", "m/b/"))
    with pytest.raises(Fault, match=r"unsupported: gs://bucket/m/a.*cannot be a file"):
        agent.listing("gs://bucket/m/")


AZURE = (
    b'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="con"><Blobs><Blob><Name>m/1/a</Name>'
    b"<Properties><Last-Modified>Thu, 09 Oct 2025 08:53:20 GMT</Last-Modified><Etag>TAG</Etag>"
    b"<Content-Length>4</Content-Length><Content-Type>x</Content-Type><BlobType>BlockBlob</BlobType></Properties></Blob>"
    b"</Blobs><NextMarker /></EnumerationResults>"
)


@pytest.mark.parametrize("key", ["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY", ""])
def test_azure_blob_storage(key: str, web: WebServer, start: Callable[..., Agent]) -> None:
    web.objects["/con/m/1/a"] = b"1234"
    # Its listings have tags without the quotes that its answers have.
    tag = web.entry("/con/m/1/a", "")["tag"].strip('"').encode()
    web.pages["/con?restype=container&comp=list&prefix=m%2F"] = ("application/xml", AZURE.replace(b"TAG", tag))
    variables = {"AZURE_STORAGE_ACCOUNT_NAME": "acc", "AZURE_STORAGE_ENDPOINT": web.url}
    agent = start(**variables, **({key: "c2VjcmV0"} if key else {}))
    listing = agent.listing("az://con/m/")
    assert files(agent.fetch("az://con/m/", listing, "1/")) == {"a": b"1234"}
    assert web.gets("/con")[0].get("authorization", "").startswith("SharedKey acc:" if key else "")


def test_azure_needs_an_account(start: Callable[..., Agent]) -> None:
    with pytest.raises(
        Fault, match=r"denied: az://con/m/: no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME"
    ):
        start().listing("az://con/m/")
