"""Listing and fetching from a real S3 server."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from storage.peer import FETCH, Fault, files, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.conftest import S3
    from storage.peer import Agent


def test_more_than_a_thousand_keys_are_listed_and_fetched(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("many", {f"models/{n:04}/a.txt": str(n).encode() for n in range(1205)} | {"models-2/x": b"other"})
    agent = start(**s3.variables)
    listing = agent.listing("s3://many/models/")
    assert [entry["path"] for entry in listing] == [f"{n:04}/a.txt" for n in range(1205)]
    assert {entry["size"] for entry in listing} == {1, 2, 3, 4}
    assert all(entry["tag"] for entry in listing)
    head = s3.client.head_object(Bucket="many", Key="models/0007/a.txt")
    assert listing[7]["modified"] == int(head["LastModified"].timestamp() * 1000)
    fetched = files(agent.fetch("s3://many/models/", listing[900:]))
    assert fetched == {f"{n:04}/a.txt": str(n).encode() for n in range(900, 1205)}


def test_a_listing_over_the_limit_is_refused(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("limited", {f"m/{n}": b"1" for n in range(11)})
    agent = start(**s3.variables)
    assert len(agent.listing("s3://limited/m/", limit=11)) == 11
    with pytest.raises(Fault, match=r"tooMany: s3://limited/m/ holds more than 10 objects"):
        agent.listing("s3://limited/m/", limit=10)


def test_a_version_arrives_without_its_prefix(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("versions", {"iris/1/a": b"old", "iris/2/a": b"new", "iris/2/deep/b": b"more"})
    agent = start(**s3.variables)
    chosen = [entry for entry in agent.listing("s3://versions/iris/") if entry["path"].startswith("2/")]
    assert files(agent.fetch("s3://versions/iris/", chosen, "2/")) == {"a": b"new", "deep/b": b"more"}


def test_odd_but_possible_names_are_kept(s3: S3, start: Callable[..., Agent]) -> None:
    names = ["a b#c?d.txt", "100%20.txt", "é~*\"'.txt", "a\\b", "…/x", "a" * 255]
    s3.fill("odd", {f"my models/{name}": name.encode() for name in names})
    agent = start(**s3.variables)
    listing = agent.listing("s3://odd/my models/")
    assert sorted(entry["path"] for entry in listing) == sorted(names)
    assert files(agent.fetch("s3://odd/my models/", listing)) == {name: name.encode() for name in names}


def test_markers_of_folders_are_no_objects(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("markers", {"m/": b"", "m/1/": b"", "m/1/a": b"1", "m/2/": b"", "m/1/empty": b""})
    agent = start(**s3.variables)
    listing = agent.listing("s3://markers/m/")
    assert [entry["path"] for entry in listing] == ["1/a", "1/empty"]
    assert files(agent.fetch("s3://markers/m/", listing)) == {"1/a": b"1", "1/empty": b""}


def test_an_empty_root_is_an_empty_listing(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("empty", {"elsewhere": b"1"})
    assert start(**s3.variables).listing("s3://empty/nothing/here/") == []


LONG = "é" * 128
BAD_KEYS = [
    ("m/../x", "\\.\\.", "its name has . or .. as a part"),
    ("m//x", "(empty)", "its name has an empty part"),
    ("m/2/./x", "2/\\.", "its name has . or .. as a part"),
    ("m/2//x", "2/(empty)", "its name has an empty part"),
    ("m/2/a\tb", "2/a\\u{9}b", "its name has a control character in it"),
    ("m/2/a\x01\\b", "2/a\\u{1}\\\\b", "its name has a control character in it"),
    # obstore has nothing against this one.
    ("m/2/a\x85b/c", "2/a\\u{85}b", "its name has a control character in it"),
    (
        f"m/2/{LONG}",
        f"2/{LONG[:100]}…{hashlib.sha256(LONG.encode()).hexdigest()[:16]}",
        "a part of its name is longer than 255 bytes",
    ),
]


@pytest.mark.parametrize(("key", "path", "reason"), BAD_KEYS)
def test_a_name_that_cannot_be_a_files_is_listed_as_a_flaw(
    key: str, path: str, reason: str, s3: S3, start: Callable[..., Agent]
) -> None:
    bucket = f"bad-{hashlib.md5(key.encode()).hexdigest()}"
    good = {"m/1/a": b"1", "m/1/empty": b"", "m/2/a": b"2", "m/": b"", "m/marker/": b"", "m/x/1/a": b"3"}
    s3.fill(bucket, good)
    agent = start(**s3.variables)
    before = agent.listing(f"s3://{bucket}/m/")
    assert [entry["path"] for entry in before] == ["1/a", "1/empty", "2/a", "x/1/a"]
    s3.fill(bucket, {key: b"bad", f"{key}/more": b"below it"})
    listing = agent.listing(f"s3://{bucket}/m/")
    # What is sound is listed exactly as before: nothing is taken for a change.
    assert [entry for entry in listing if "flaw" not in entry] == before
    shown = f"s3://{bucket}/{key}"
    shown = shown if shown.isprintable() else shown.encode("unicode_escape").decode()
    flawed = [entry for entry in listing if "flaw" in entry]
    assert [(entry["path"], entry["size"], entry["tag"]) for entry in flawed] == [(path, 0, None)]
    assert flawed[0]["flaw"].startswith(shown)
    assert flawed[0]["flaw"].endswith(f" cannot be a file: {reason}; rename or remove it")
    assert listing == sorted(listing, key=lambda entry: entry["path"].encode())
    assert files(agent.fetch(f"s3://{bucket}/m/", before, "")) == {
        "1/a": b"1",
        "1/empty": b"",
        "2/a": b"2",
        "x/1/a": b"3",
    }
    with pytest.raises(Fault, match="tooMany"):
        agent.listing(f"s3://{bucket}/m/", limit=3)


def test_a_bucket_of_bad_names_is_refused(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("bad-names", {f"m/{n}/a\x7f": b"1" for n in range(1001)})
    with pytest.raises(Fault, match=r"tooMany: s3://bad-names/m/ holds more than 1,000 entries like this: s3://bad-na"):
        start(**s3.variables).listing("s3://bad-names/m/")


@pytest.mark.parametrize("path", ["../out", "/etc/out", "a/../../out", "a\0b", "a//b", ".", ""])
def test_nothing_is_written_outside_the_folder(path: str, s3: S3, start: Callable[..., Agent]) -> None:
    agent = start(**s3.variables)
    folder = agent.new_folder()
    before = set(folder.parent.iterdir())
    entry = {"path": path, "size": 0, "modified": 0, "tag": None}
    with pytest.raises(Fault, match="unsupported: "):
        agent.end(agent.begin(FETCH, request("s3://x/", [entry], folder)))
    assert files(folder) == {}
    assert set(folder.parent.iterdir()) == before


def test_an_object_that_is_a_folder_too_is_named(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("both", {"m/a": b"file", "m/a/b": b"below it"})
    agent = start(**s3.variables)
    listing = agent.listing("s3://both/m/")
    with pytest.raises(Fault, match=r"unsupported: s3://both/m/a(/b)? is an object and a folder at once"):
        agent.fetch("s3://both/m/", listing)


def test_a_changed_object_is_found(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("changing", {"m/a": b"first", "m/b": b"first"})
    agent = start(**s3.variables)
    listing = agent.listing("s3://changing/m/")
    s3.fill("changing", {"m/b": b"other"})
    with pytest.raises(Fault, match=r"changed: s3://changing/m/b has changed since it was listed"):
        agent.fetch("s3://changing/m/", listing)


def test_a_removed_object_is_found(s3: S3, start: Callable[..., Agent]) -> None:
    s3.fill("removing", {"m/a": b"first"})
    agent = start(**s3.variables)
    listing = agent.listing("s3://removing/m/")
    s3.client.delete_object(Bucket="removing", Key="m/a")
    with pytest.raises(Fault, match=r"changed: s3://removing/m/a is no longer there"):
        agent.fetch("s3://removing/m/", listing)


def test_a_large_object_arrives_whole_and_in_parts(s3: S3, start: Callable[..., Agent]) -> None:
    body = os.urandom(1 << 20) * 50 + b"rest"
    s3.fill("large", {"m/big": body, "m/small": b"1"})
    agent = start(**s3.variables)
    fetched = files(agent.fetch("s3://large/m/", agent.listing("s3://large/m/")))
    assert fetched == {"big": body, "small": b"1"}
    assert all(0 < count <= len(body) + 1 for count in agent.progress)


def test_a_missing_bucket_is_named(s3: S3, start: Callable[..., Agent]) -> None:
    with pytest.raises(Fault) as caught:
        start(**s3.variables).listing("s3://nobody-has-this/m/")
    assert caught.value.kind == "notFound"
    assert caught.value.message.startswith("s3://nobody-has-this/m/: there is no bucket nobody-has-this in http://")


def test_an_endpoint_that_is_down_is_named(start: Callable[..., Agent]) -> None:
    agent = start(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
    with pytest.raises(Fault) as caught:
        agent.listing("s3://any/m/")
    assert caught.value.kind == "unreachable"
    assert caught.value.message == (
        "s3://any/m/: cannot reach http://127.0.0.1:9: the connection is refused; check the endpoint"
    )


def test_an_unknown_scheme_is_refused(start: Callable[..., Agent]) -> None:
    with pytest.raises(Fault, match=r"unsupported: ftp://host/m/ is no place for models; allowed: s3://"):
        start().listing("ftp://host/m/")
