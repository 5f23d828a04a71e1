"""Stores of models that fail later, and what is left of models: nothing half written, nothing that nobody needs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.models import observed, on_disk, versions
from blackbox.project import API, write
from blackbox.s3 import S3, anything, reads
from blackbox.server import Server

BUCKET = "failing-later"
SOURCE = (Path(__file__).parent / "predictors" / "models.py").read_text()


@pytest.fixture(scope="module")
def bucket(s3: S3) -> S3:
    """The S3 server, with a bucket for these tests."""
    s3.make(BUCKET)
    return s3


def test_E14_a_store_that_fails_later(own_models_server: Server, bucket: S3, folder: Path) -> None:
    """Down, forbidden, gone: what is there serves on, also after a restart, and goes on with the store."""
    server, name = own_models_server, "store-later"
    bucket.put(BUCKET, "later/1/value", b"1")
    api = API(name, predictor={"model_path": f"s3://{BUCKET}/later/"})
    server.deploy(write(folder / "project", {"predictor.py": SOURCE}, api))
    with Load(server.url(name)) as load:
        for fault, words in (
            (bucket.down(), "cannot reach"),
            (bucket.failing("status", anything, 403), "access is denied"),
            (bucket.failing("status", anything, 500), "answers with status 500"),
        ):
            with fault:
                await_words(server, name, words, there=True)
                load.await_body("1")
            await_words(server, name, words, there=False)
    assert load.failures() == []
    with bucket.down():
        server.stop()
        server.start()
        eventually(lambda: server.post(name).status_code == 200, "it serves what it has on disk")
        assert server.post(name).text == "1"
    bucket.put(BUCKET, "later/2/value", b"2")
    eventually(lambda: server.post(name).text == "2", "it goes on with the store")


def test_E14_downloads_that_end_early_or_give_another_object(
    own_models_server: Server, bucket: S3, folder: Path
) -> None:
    """A version whose files do not come whole is never served, and nothing of it stays."""
    server, name = own_models_server, "store-cuts"
    bucket.put(BUCKET, "cuts/1/value", b"1")
    api = API(name, predictor={"model_path": f"s3://{BUCKET}/cuts/"})
    server.deploy(write(folder / "project", {"predictor.py": SOURCE}, api))
    with Load(server.url(name)) as load:
        for version, kind in ((2, "cut"), (3, "etag")):
            content = str(version).encode() * 100_000
            with bucket.failing(kind, reads(f"cuts/{version}/")):
                bucket.put(BUCKET, f"cuts/{version}/value", content)
                error = await_error(server, name, str(version))
                assert "value" in error, error
                assert on_disk(server) == version - 1
                assert not [file for file in (server.home / "models").rglob("value") if file.stat().st_size == 50_000]
            load.await_body(content.decode(), within=60)
    assert load.failures() == []
    assert versions(server, name) == ["1", "2", "3"]
    bodies = {answer[1] for answer in load.answers}
    assert bodies == {"1", "2" * 100_000, "3" * 100_000}


def await_words(server: Server, api: str, words: str, *, there: bool) -> None:
    """Waits until `cortex get` says so of an API, or no longer does."""
    eventually(lambda: (words in json.dumps(server.json("get", api))) is there, f"{words!r} is shown: {there}")


def await_error(server: Server, api: str, version: str) -> str:
    """What is wrong with a version, once it is shown."""
    seen = eventually(
        lambda: observed(server, api).get(version, {}).get("error"), f"version {version} is shown with its error", 60
    )
    return str(seen)


def test_a_deleted_api_leaves_no_model(own_models_server: Server, folder: Path) -> None:
    server, name = own_models_server, "leaves-nothing"
    project = write(
        folder / "project", {"predictor.py": SOURCE, "m/1/value": "1"}, API(name, predictor={"model_path": "m"})
    )
    server.deploy(project)
    assert on_disk(server) == 1
    shutil.rmtree(project / "m")
    server.ok("delete", name)
    eventually(lambda: on_disk(server) == 0, "the model leaves the disk")


def test_G04_models_that_vanished_while_the_server_was_down(
    own_models_server: Server, bucket: S3, folder: Path
) -> None:
    """All APIs are back in their versions: without a model in the store, on the disk, and in neither."""
    server, names = own_models_server, ("kept", "not-in-store", "not-on-disk", "nowhere")
    for name in names:
        bucket.put(BUCKET, f"{name}/1/value", name.encode())
    apis = [API(name, predictor={"model_path": f"s3://{BUCKET}/{name}/"}) for name in names]
    server.deploy(write(folder / "project", {"predictor.py": SOURCE}, *apis))

    def deployments() -> list[Any]:
        return [server.json("get", name)[0]["deployment"] for name in names]

    before = deployments()
    server.stop()
    for name in ("not-in-store", "nowhere"):
        bucket.remove(BUCKET, f"{name}/1/value")
    for file in list((server.home / "models" / "objects").rglob("value")):
        if file.read_text() in ("not-on-disk", "nowhere"):
            shutil.rmtree(file.parents[1])
    server.start()
    for name in ("kept", "not-on-disk"):
        eventually(partial(answers, server, name, 200), f"{name} is back")
        assert server.post(name).text == name
    for name in ("not-in-store", "nowhere"):
        eventually(partial(answers, server, name, 404), f"the model of {name} is known to be gone")
        assert server.post(name).json()["code"] == "MODEL_NOT_FOUND"
    assert deployments() == before
    for name in ("not-in-store", "nowhere"):
        bucket.put(BUCKET, f"{name}/2/value", b"new")
        eventually(partial(answers, server, name, 200), f"{name} has a model again")
        assert server.post(name).text == "new"
    assert [server.post(name).text for name in ("kept", "not-on-disk")] == ["kept", "not-on-disk"]


@pytest.mark.slow
def test_G04_models_that_are_lost_while_the_store_is_down(own_models_server: Server, bucket: S3, folder: Path) -> None:
    """The API says why it cannot answer, and is back by itself when the store is."""
    server, name = own_models_server, "lost"
    bucket.put(BUCKET, "lost/1/value", b"1")
    server.deploy(
        write(folder / "project", {"predictor.py": SOURCE}, API(name, predictor={"model_path": f"s3://{BUCKET}/lost/"}))
    )
    server.stop()
    shutil.rmtree(server.home / "models")
    with bucket.down():
        server.start()
        await_words(server, name, "cannot reach", there=True)
        assert server.post(name).json()["code"] == "NOT_READY"
    eventually(partial(answers, server, name, 200), "it is back", within=120)
    assert server.json("get", name)[0]["status"]["status_code"] == "status_live"


def answers(server: Server, api: str, status: int) -> bool:
    """Whether a request is answered so."""
    return server.post(api).status_code == status


@pytest.fixture
def little_room(folder: Path) -> Iterator[Path]:
    """The home of a server that has 2 MiB for models."""
    models = folder / "home" / "models"
    models.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", models], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may make a small file system")
    yield models
    subprocess.run(["umount", "--lazy", models], check=True)


def test_E14_a_disk_that_is_full(little_room: Path, binary: Path, bucket: S3, folder: Path) -> None:
    """The version that has no room is told of and leaves nothing; the one before serves, and others come as ever."""
    settings = {"CORTEX_MODEL_POLL_INTERVAL": "500ms", **bucket.environment}
    name = "no-room"
    bucket.put(BUCKET, "room/1/value", b"1")
    api = API(name, predictor={"model_path": f"s3://{BUCKET}/room/"})
    with Server(binary, little_room.parent, None, **settings) as server:
        server.deploy(write(folder / "project", {"predictor.py": SOURCE}, api))
        with Load(server.url(name)) as load:
            bucket.put(BUCKET, "room/2/value", b"2")
            bucket.put(BUCKET, "room/2/weights", bytes(4 << 20))
            error = await_error(server, name, "2")
            assert "disk" in error or "space" in error, error
            load.await_body("1")
            assert on_disk(server) == 1
            assert not [file for file in little_room.rglob("weights") if file.is_file()]
            bucket.put(BUCKET, "room/3/value", b"3")
            load.await_body("3")
        assert load.failures() == []
        assert {answer[1] for answer in load.answers} == {"1", "3"}
