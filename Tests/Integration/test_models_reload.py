"""Models that come, change and go while requests flow: none of them may fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from blackbox.conditions import eventually
from blackbox.gates import open_gate
from blackbox.load import Load
from blackbox.models import metadata, observed, onnx_value, replace_folder, versions
from blackbox.project import API, write
from blackbox.s3 import S3
from blackbox.server import Server

BUCKET = "reloading"
SOURCE = (Path(__file__).parent / "predictors" / "models.py").read_text()


@dataclass(frozen=True)
class Kind:
    """How models of one type of predictor are written."""

    type: str
    file: str
    content: Callable[[int], bytes]
    broken: bytes

    @property
    def api(self) -> str:
        """The name of the API that serves the folder of all models of the kind."""
        return f"reload-{self.type}"


PYTHON = Kind("python", "value", lambda value: str(value).encode(), b"broken")
ONNX = Kind("onnx", "model.onnx", onnx_value, b"no model at all")
KINDS = (PYTHON, ONNX)

EVENTS = {
    "added": {1: 1},
    "removed": {1: 1, 2: 2},
    "removed-latest": {1: 1, 2: 2},
    "touched": {1: 1},
    "restructured": {1: 1},
    "gone": {1: 1},
    "half": {1: 1},
    "bad": {1: 1},
    "emptied": {1: 1, 2: 2},
    "app": {1: 1},
    "apple": {1: 10},
}
"""The models that each event begins with: versions and what they answer."""


class Models:
    """The models of one kind in the bucket, and their API."""

    def __init__(self, server: Server, s3: S3, kind: Kind) -> None:
        self.server = server
        self.s3 = s3
        self.kind = kind

    def key(self, model: str, version: int | None) -> str:
        """Where a version's file is; without a number the model has no versions."""
        return f"{self.kind.type}/{model}/{'' if version is None else f'{version}/'}{self.kind.file}"

    def put(self, model: str, version: int | None, value: int) -> None:
        """Uploads a version that answers `value`."""
        self.s3.put(BUCKET, self.key(model, version), self.kind.content(value))

    def remove(self, model: str, version: int | None = None) -> None:
        """Deletes a version, or the file of a model that has none."""
        self.s3.remove(BUCKET, self.key(model, version))

    def ask(self, model: str, version: int | str = "latest") -> tuple[int, str]:
        """Status and answer."""
        answer = self.server.post(f"{self.kind.api}?model={model}&version={version}")
        return answer.status_code, answer.text

    @contextmanager
    def load(self, model: str) -> Iterator[Load]:
        """Requests for the latest version meanwhile; none may fail."""
        with Load(self.server.url(f"{self.kind.api}?model={model}")) as load:
            yield load
        assert load.failures() == [], (load.failures()[:3], self.server.tail())

    def await_listing(self) -> None:
        """Waits until the bucket has been looked at once more."""
        prefix = f"{self.kind.type}%2F"
        before = self.s3.listings(prefix)
        eventually(lambda: self.s3.listings(prefix) > before, "it is listed once more")

    def await_versions(self, model: str, *wanted: int) -> None:
        """Waits until the summary lists these."""
        names = [str(version) for version in wanted]
        eventually(lambda: versions(self.server, self.kind.api, model) == names, f"{model} has versions {names}")


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.type)
def models(models_server: Server, s3: S3, short_folder: Path, request: pytest.FixtureRequest) -> Iterator[Models]:
    """An API on a folder of models: one model for each event."""
    kind: Kind = request.param
    if BUCKET not in [bucket["Name"] for bucket in s3.client.list_buckets()["Buckets"]]:
        s3.make(BUCKET)
    models = Models(models_server, s3, kind)
    for model, found in EVENTS.items():
        for version, value in found.items():
            models.put(model, version, value)
    models.put("flat", None, 1)
    api = API(kind.api, predictor={"type": kind.type, "models": {"dir": f"s3://{BUCKET}/{kind.type}/"}})
    models_server.deploy(write(short_folder / kind.api, {"predictor.py": SOURCE}, api))
    yield models
    models_server.ok("delete", kind.api)


def test_a_version_is_added(models: Models) -> None:
    with models.load("added") as load:
        load.await_body("1")
        models.put("added", 2, 2)
        load.await_body("2")
        models.await_versions("added", 1, 2)
        assert {answer[2] for answer in load.answers} == {"1", "2"}, "the header names the version"
    assert models.ask("added", 1) == (200, "1")


def test_a_version_is_removed(models: Models) -> None:
    assert models.ask("removed", 1) == (200, "1")
    with models.load("removed") as load:
        models.remove("removed", 1)
        models.await_versions("removed", 2)
        eventually(lambda: models.ask("removed", 1)[0] == 404, "version 1 is gone for those who ask for it")
        load.await_body("2")
        assert {answer[1] for answer in load.answers} == {"2"}


def test_the_latest_version_is_removed(models: Models) -> None:
    with models.load("removed-latest") as load:
        load.await_body("2")
        models.remove("removed-latest", 2)
        load.await_body("1")
        models.await_versions("removed-latest", 1)


def test_E07_a_file_changes_in_place(models: Models) -> None:
    def loads() -> float:
        return models.server.metrics("cortex_model_loads_total", api=models.kind.api, model="touched", result="success")

    with models.load("touched") as load:
        load.await_body("1")
        eventually(lambda: loads() == 1, "it has been loaded")
        models.put("touched", 1, 11)
        load.await_body("11")
        models.await_versions("touched", 1)
        for _ in range(3):
            models.await_listing()
        assert loads() == 2, "one change is one load"
        bodies = [answer[1] for answer in load.answers]
        assert "1" not in bodies[bodies.index("11") + len(EVENTS) :], "once it is there it stays"


def test_the_files_of_a_version_change(models: Models) -> None:
    """Another file for a Python model; for ONNX, which has one file, another name of it."""
    with models.load("restructured") as load:
        load.await_body("1")
        folder = models.key("restructured", 1).rpartition("/")[0]
        if models.kind is PYTHON:
            models.s3.put(BUCKET, f"{folder}/more", b"")
            load.await_body("1+more")
        else:
            models.s3.put(BUCKET, f"{folder}/other.onnx", onnx_value(12))
            models.remove("restructured", 1)
            load.await_body("12")


def test_a_model_is_added_and_removed(models: Models) -> None:
    assert models.ask("new")[0] == 404
    with models.load("gone") as load:
        models.put("new", 1, 5)
        models.await_versions("new", 1)
        eventually(lambda: models.ask("new") == (200, "5"), "the new model answers")
        models.remove("new", 1)
        models.await_versions("new")
        eventually(lambda: models.ask("new")[0] == 404, "the model is gone")
        load.await_body("1")
    assert "new" not in metadata(models.server, models.kind.api)


def test_a_model_without_versions_gets_some(models: Models) -> None:
    assert models.ask("flat", 1) == (200, "1")
    with models.load("flat") as load:
        models.put("flat", 1, 21)
        models.put("flat", 2, 22)
        models.remove("flat")
        load.await_body("22")
        models.await_versions("flat", 1, 2)
    assert models.ask("flat", 1) == (200, "21")


def test_a_version_that_is_half_there_waits(models: Models) -> None:
    """It grows: each listing finds it larger than the one before."""
    whole = models.kind.content(2) if models.kind is ONNX else b"2" * 5
    with models.load("half") as load:
        load.await_body("1")
        for piece in range(1, 5):
            models.s3.put(BUCKET, models.key("half", 2), whole[: len(whole) * piece // 5])
            models.await_listing()
        assert {answer[1] for answer in load.answers} == {"1"}
        models.s3.put(BUCKET, models.key("half", 2), whole)
        load.await_body("2" if models.kind is ONNX else "2" * 5)
        assert len({answer[1] for answer in load.answers}) == 2
    models.await_versions("half", 1, 2)


def test_a_version_that_does_not_load_harms_only_itself(models: Models) -> None:
    server, api = models.server, models.kind.api
    with models.load("bad") as load:
        load.await_body("1")
        models.s3.put(BUCKET, models.key("bad", 2), models.kind.broken)
        eventually(
            lambda: observed(server, api, "bad").get("2", {}).get("error"), "the version is shown with its error"
        )
        error = observed(server, api, "bad")["2"]["error"]
        assert f"bad version 2: {error}" in server.ok("get", api)
        load.await_body("1")
        assert {answer[1] for answer in load.answers} == {"1"}
        models.put("bad", 2, 2)
        load.await_body("2")


def test_all_versions_are_removed(models: Models) -> None:
    """Who asks for it is told; other models are as they were, and it may come back."""
    assert models.ask("emptied") == (200, "2")
    with models.load("gone") as load:
        models.remove("emptied", 1)
        models.remove("emptied", 2)
        eventually(lambda: models.ask("emptied")[0] == 404, "no version is left")
        models.put("emptied", 3, 3)
        eventually(lambda: models.ask("emptied") == (200, "3"), "it is back")
        load.await_body("1")


def test_a_name_that_begins_as_another(models: Models) -> None:
    assert models.ask("apple") == (200, "10")
    with models.load("apple") as load:
        models.remove("app", 1)
        models.await_versions("app")
        eventually(lambda: models.ask("app")[0] == 404, "app is gone")
        load.await_body("10")
        assert {answer[1] for answer in load.answers} == {"10"}


HOLDING = """
class PythonPredictor:
    def __init__(self, config, python_client):
        self.client = python_client

    def load_model(self, model_path):
        with open(model_path + "/value") as file:
            return file.read()

    def predict(self, payload):
        first = self.client.get_model()
        if payload:
            print("has", first)
            with open(payload) as gate:
                gate.read()
        return [first, self.client.get_model()]

    def post_predict(self, response, payload):
        if payload:
            print("afterwards", self.client.get_model())
"""


@pytest.mark.parametrize("event", ["changed", "replaced", "removed"])
def test_E06_a_request_goes_on_with_what_it_began_with(models_server: Server, s3: S3, folder: Path, event: str) -> None:
    """To its very end; whoever comes meanwhile gets the new one, and then the old one leaves the disk."""
    server, api, bucket = models_server, f"holding-{event}", "cortex-examples"
    s3.put(bucket, f"{api}/1/value", b"old")
    if event == "removed":
        s3.put(bucket, f"{api}/0/value", b"new")
    keys = {"model_path": f"s3://{bucket}/{api}/", "threads_per_process": 2}
    server.deploy(write(folder / "project", {"predictor.py": HOLDING}, API(api, predictor=keys)))
    gate = folder / "gate"
    os.mkfifo(gate)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(server.post, api, json=str(gate))
        server.await_log(api, "has old")
        if event == "changed":
            s3.put(bucket, f"{api}/1/value", b"new")
        if event == "replaced":
            s3.put(bucket, f"{api}/2/value", b"new")
        if event in ("replaced", "removed"):
            s3.remove(bucket, f"{api}/1/value")
        eventually(lambda: server.post(api, json=None).json() == ["new", "new"], "others get the new one")
        open_gate(gate)
        answer = held.result()
    assert (answer.status_code, answer.json()) == (200, ["old", "old"])
    assert answer.headers["X-Cortex-Model-Version"] == "1"
    server.await_log(api, "afterwards old")
    assert server.post(api, json=None).json() == ["new", "new"]
    eventually(lambda: server.metrics("cortex_models_loaded", api=api) == 1, "the old one leaves the memory")
    server.ok("delete", api)


def test_a_folder_of_this_machine_is_watched(models_server: Server, folder: Path) -> None:
    """A relative `model_path`: the user's own folder, not what was uploaded of it."""
    server, api = models_server, "reload-folder"
    project = write(
        folder / "project",
        {"predictor.py": SOURCE, "models/1/value": "1", ".cortexignore": "models/\n"},
        API(api, predictor={"model_path": "models"}),
    )
    server.deploy(project)
    new = folder / "new"
    new.mkdir()
    with Load(server.url(api)) as load:
        load.await_body("1")
        (new / "value").write_text("2")
        replace_folder(new, project / "models" / "2")
        load.await_body("2")
        assert versions(server, api) == ["1", "2"]
        (project / "models" / "2" / "value").write_text("22")
        load.await_body("22")
        (project / "models" / "2").rename(folder / "away")
        load.await_body("1")
        assert versions(server, api) == ["1"]
    assert load.failures() == []
    server.ok("delete", api)


@pytest.mark.slow
def test_tensorflow_adds_changes_and_removes(models_server: Server, s3: S3, saved_models: Path, folder: Path) -> None:
    server, api, prefix = models_server, "reload-tensorflow", "tensorflow/reload/"
    s3.upload("cortex-examples", f"{prefix}1/", saved_models / "value-1")
    models = {"type": "tensorflow", "model_path": f"s3://cortex-examples/{prefix}"}
    server.deploy(write(folder, {"predictor.py": SOURCE}, API(api, predictor=models)))
    with Load(server.url(api)) as load:
        load.await_body("1")
        s3.upload("cortex-examples", f"{prefix}2/", saved_models / "value-2")
        load.await_body("2", within=60)
        s3.upload("cortex-examples", f"{prefix}2/", saved_models / "value-3")
        load.await_body("3", within=60)
        s3.remove("cortex-examples", f"{prefix}2/")
        load.await_body("1", within=60)
    assert load.failures() == []
    server.ok("delete", api)
