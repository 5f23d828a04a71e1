"""Models in requests: versions and names, good and bad; the caches; a store that fails later; what is seen outside."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.invariants import Invariants
from blackbox.load import Load
from blackbox.models import metadata, observed, on_disk, onnx_value, versions
from blackbox.project import API, write
from blackbox.s3 import S3, anything, reads
from blackbox.server import Server

BUCKET = "serving"
SOURCE = (Path(__file__).parent / "predictors" / "models.py").read_text()


@pytest.fixture(scope="module")
def bucket(s3: S3) -> S3:
    """The S3 server, with a bucket for these tests."""
    s3.make(BUCKET)
    return s3


@pytest.fixture(scope="module")
def named(models_server: Server, short_folder: Path) -> Iterator[str]:
    """The name of an ONNX API on a folder of models, some of which have odd names."""
    name = "serving-named"
    models: dict[str, str | bytes] = {
        f"models/{model}/{version}/model.onnx": onnx_value(value)
        for model, version, value in [
            ("one", 1, 11),
            ("one", 3, 13),
            ("one", 10, 20),
            ("two", 7, 27),
            ("a..b", 1, 31),
            ("naïve model", 1, 41),
        ]
    }
    api = API(name, predictor={"type": "onnx", "models": {"dir": "models"}})
    models_server.deploy(write(short_folder / name, {"predictor.py": SOURCE, **models}, api))
    yield name
    models_server.ok("delete", name)


@pytest.fixture
def invariants(models_server: Server, named: str) -> Invariants:
    """Checks that a good request is answered."""
    return Invariants(models_server, lambda: models_server.post(f"{named}?model=one"))


@pytest.mark.parametrize(
    ("query", "value", "version"),
    [
        ("model=one", "20", "10"),
        ("model=one&version=latest", "20", "10"),
        ("model=one&version=1", "11", "1"),
        ("model=one&version=3", "13", "3"),
        ("model=two", "27", "7"),
        ("model=a..b", "31", "1"),
        ("model=na%C3%AFve%20model", "41", "1"),
    ],
)
def test_E10_a_version_that_is_there(models_server: Server, named: str, query: str, value: str, version: str) -> None:
    answer = models_server.post(f"{named}?{query}")
    assert (answer.status_code, answer.text) == (200, value)
    assert answer.headers["X-Cortex-Model-Version"] == version


@pytest.mark.parametrize("version", ["2", "0", "11", "9223372036854775807"])
def test_E10_a_version_that_is_not_there(
    models_server: Server, named: str, invariants: Invariants, version: str
) -> None:
    outcome = invariants.hold(404, lambda: models_server.post(f"{named}?model=one&version={version}"), named)
    body = json.loads(outcome.body)
    assert body["code"] == "MODEL_NOT_FOUND"
    for there in ("one", version, "1", "3", "10"):
        assert there in body["error"], body
    assert str(models_server.home) not in outcome.body.decode()
    assert "x-cortex-model-version" not in outcome.headers


@pytest.mark.parametrize("version", ["abc", "1e3", "01", "", " 1", "-1", "+1", "²", "1.0", "18446744073709551616"])
def test_E10_a_version_that_is_none(models_server: Server, named: str, invariants: Invariants, version: str) -> None:
    outcome = invariants.hold(400, lambda: models_server.post(f"{named}?model=one&version={quote(version)}"), named)
    body = json.loads(outcome.body)
    assert body["code"] == "INVALID_VERSION"
    assert "latest" in body["error"], body


@pytest.mark.parametrize(
    "model", ["../etc", "a/../b", "one/", " ..", "", " ", "One", "x" * 256, "日本", "one\x00", "_cortex_default"]
)
def test_E09_a_model_that_is_not_there(models_server: Server, named: str, invariants: Invariants, model: str) -> None:
    before = sorted(path.name for path in (models_server.home / "models").rglob("*"))
    outcome = invariants.hold(404, lambda: models_server.post(f"{named}?model={quote(model)}"), named)
    body = json.loads(outcome.body)
    assert body["code"] == "MODEL_NOT_FOUND"
    assert "one" in body["error"] and "two" in body["error"], "it names those that are there"
    assert str(models_server.home) not in outcome.body.decode()
    assert sorted(path.name for path in (models_server.home / "models").rglob("*")) == before


def test_a_name_left_out(models_server: Server, named: str, invariants: Invariants) -> None:
    outcome = invariants.hold(404, lambda: models_server.post(named), named)
    assert "one" in json.loads(outcome.body)["error"]


def test_what_is_seen_from_outside(models_server: Server, named: str) -> None:
    server = models_server
    assert server.post(f"{named}?model=one&version=3").status_code == 200
    entry = metadata(server, named)["one"]
    pairs = dict(zip(entry["versions"], entry["timestamps"]))
    assert sorted(pairs) == ["1", "10", "3"]
    files = Path(server.json("get", named)[0]["spec"]["predictor"]["models"]["dir"])
    assert not files.is_absolute(), "the spec is as the user wrote it"
    assert all(isinstance(stamp, int) and stamp > 1_600_000_000 for stamp in pairs.values()), pairs

    seen = observed(server, named, "one")
    assert sorted(seen) == ["1", "10", "3"]
    assert [version for version, one in seen.items() if one["is_latest"]] == ["10"]
    assert seen["3"]["input_signatures"] == {"x": {"shape": ["n"], "type": "float32"}}
    assert seen["3"]["size"] == len(onnx_value(13))
    assert seen["3"]["loaded_by"] == 1 and seen["3"]["load_seconds"] > 0, seen["3"]

    page = server.ok("get", named)
    for words in ("model name", "model version", "edit time", "10 (latest)", "7 (latest)", "naïve model", "float32"):
        assert words in page, page

    assert server.metrics("cortex_model_loads_total", api=named, model="one", result="success") >= 1
    assert server.metrics("cortex_models_loaded", api=named) >= 1
    assert server.metrics("cortex_model_load_duration_seconds_count", api=named) >= 1
    hits = server.metrics("cortex_model_cache_hits_total", api=named)
    assert server.post(f"{named}?model=one&version=3").status_code == 200
    eventually(
        lambda: server.metrics("cortex_model_cache_hits_total", api=named) == hits + 1, "one hit more is counted"
    )
    text = requests.get(f"{server.operator}/metrics", timeout=60).text
    assert "# TYPE cortex_model_cache_misses_total counter" in text


COUNTING = """
import threading

class PythonPredictor:
    def __init__(self, config, python_client):
        self.client = python_client
        self.log = config["log"]

    def load_model(self, model_path):
        with open(self.log, "a") as log:
            log.write("loaded\\n")
        with open(model_path + "/value") as file:
            return Model(file.read())

    def predict(self, query_params):
        model = self.client.get_model(query_params["model"])
        return model.value

class Model:
    living = 0
    most = 0
    lock = threading.Lock()

    def __init__(self, value):
        self.value = value
        with self.lock:
            Model.living += 1
            Model.most = max(Model.most, Model.living)

    def __del__(self):
        with self.lock:
            Model.living -= 1
"""


def test_E11_fifty_threads_load_a_model_once(models_server: Server, folder: Path) -> None:
    server, name = models_server, "loads-once"
    models = {"dir": "models", "cache_size": 2, "disk_cache_size": 2}
    keys = {"models": models, "threads_per_process": 50, "config": {"log": str(folder / "loads")}}
    files = {"models/a/1/value": "a"}
    server.deploy(write(folder / "project", {"predictor.py": COUNTING, **files}, API(name, predictor=keys)))
    barrier = threading.Barrier(50)

    def ask() -> str:
        barrier.wait()
        return server.post(f"{name}?model=a").text

    with ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(lambda _: ask(), range(50)))
    assert answers == ["a"] * 50
    assert (folder / "loads").read_text() == "loaded\n"
    server.ok("delete", name)


def test_E12_a_cache_of_one_for_three_models_and_64_clients(models_server: Server, folder: Path) -> None:
    server, name, threads = models_server, "cache-of-one", 4
    models = {"dir": "models", "cache_size": 1, "disk_cache_size": 1}
    keys = {"models": models, "threads_per_process": threads, "config": {"log": str(folder / "loads")}}
    source = COUNTING + "\n\nPythonPredictor.predict = lambda self, query_params: (\n"
    source += (
        '    self.client.get_model(query_params["model"]).value if "model" in query_params else str(Model.most)\n)\n'
    )
    files = {f"models/{model}/1/value": model for model in "abc"}
    server.deploy(write(folder / "project", {"predictor.py": source, **files}, API(name, predictor=keys)))
    order = "abc" * 128

    def ask(model: str) -> tuple[int, str]:
        answer = server.post(f"{name}?model={model}")
        return answer.status_code, answer.text

    with ThreadPoolExecutor(64) as clients:
        answers = list(clients.map(ask, order))
    assert Counter(answers) == Counter((200, model) for model in order)
    loads = len((folder / "loads").read_text().splitlines())
    assert 3 <= loads <= len(order)
    # One in the cache, and one that each other thread has in its hands.
    assert int(server.post(name).text) <= 1 + threads
    assert server.metrics("cortex_model_evictions_total", api=name) >= 2
    seen = [one for model in "abc" for one in observed(server, name, model).values()]
    assert len(seen) == 3 and sum(one["is_on_disk"] for one in seen) <= 1, seen
    server.ok("delete", name)


def test_misses_are_answered_while_processes_stand_still(alone: Server, folder: Path) -> None:
    name, models = "stalls", "abcdef"
    source = f"import os\n{COUNTING}\n\nPythonPredictor.predict = lambda self, query_params: (\n"
    source += '    self.client.get_model(query_params["model"]).value if query_params else str(os.getpid())\n)\n'
    limits = {"dir": "models", "cache_size": 2, "disk_cache_size": 3}
    keys = {"models": limits, "threads_per_process": 8, "config": {"log": str(folder / "loads")}}
    files = {f"models/{model}/1/value": model for model in models}
    project = {"predictor.py": source, **files}
    alone.deploy(write(folder / "project", project, API(name, predictor=keys)))
    pids = [alone.pid, int(alone.post(name).text)]
    chance = random.Random(4)
    order = [chance.choice(models) for _ in range(200)]
    over = threading.Event()

    def stall() -> None:
        while not over.is_set():
            pid = chance.choice(pids)
            os.kill(pid, signal.SIGSTOP)
            # As long as the other one may go on with what it knows.
            over.wait(chance.uniform(0.02, 0.2))
            os.kill(pid, signal.SIGCONT)
            over.wait(chance.uniform(0, 0.1))

    def ask(model: str) -> tuple[int, str]:
        answer = alone.post(f"{name}?model={model}")
        return answer.status_code, answer.text

    thread = threading.Thread(target=stall)
    thread.start()
    try:
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(ask, order))
    finally:
        over.set()
        thread.join()
    assert answers == [(200, model) for model in order]
    assert alone.metrics("cortex_model_evictions_total", api=name) >= 20


@pytest.fixture
def alone(binary: Path, folder: Path, s3: S3) -> Iterator[Server]:
    """A server of its own, so that what is on its disk is one API's."""
    with Server(binary, folder / "alone", None, CORTEX_MODEL_POLL_INTERVAL="500ms", **s3.environment) as server:
        yield server


def test_the_cache_on_disk_is_exact_at_every_moment(alone: Server, bucket: S3, folder: Path) -> None:
    """Six models, two of them on disk, the ones used last; what is on disk is not fetched again."""
    server, name = alone, "disk-cache"
    for model in "abcdef":
        bucket.put(BUCKET, f"disk/{model}/1/value", model.encode())
    models = {"dir": f"s3://{BUCKET}/disk/", "cache_size": 1, "disk_cache_size": 2}
    server.deploy(write(folder / "project", {"predictor.py": SOURCE}, API(name, predictor={"models": models})))
    assert on_disk(server) == 0, "nothing is fetched before it is asked for"
    assert sorted(metadata(server, name)) == list("abcdef"), "all that could be is listed"
    most, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.002):
            most[0] = max(most[0], on_disk(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for model in "abcabdefacbb":
            assert server.post(f"{name}?model={model}").text == model
            assert on_disk(server) <= 2
    finally:
        ended.set()
        watcher.join()
    assert most[0] == 2
    there = {model for model in "abcdef" for one in observed(server, name, model).values() if one["is_on_disk"]}
    assert there == {"b", "c"}
    before = bucket.reads("disk/")
    assert server.post(f"{name}?model=c").text == "c"
    assert bucket.reads("disk/") == before, "from disk to memory, without the store"
    # Changed in the store: the next request that finds the new one in the index gets it.
    bucket.put(BUCKET, "disk/c/1/value", b"cc")
    eventually(lambda: server.post(f"{name}?model=c").text == "cc", "the changed model is fetched")
    assert on_disk(server) <= 2
    server.ok("delete", name)
    eventually(lambda: on_disk(server) == 0, "what no API needs leaves the disk")


def test_E14_a_store_that_fails_later(alone: Server, bucket: S3, folder: Path) -> None:
    """Down, forbidden, gone: what is there serves on, also after a restart, and goes on with the store."""
    server, name = alone, "store-later"
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


def test_E14_downloads_that_end_early_or_give_another_object(alone: Server, bucket: S3, folder: Path) -> None:
    """A version whose files do not come whole is never served, and nothing of it stays."""
    server, name = alone, "store-cuts"
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


def test_a_deleted_api_leaves_no_model(alone: Server, folder: Path) -> None:
    server, name = alone, "leaves-nothing"
    project = write(
        folder / "project", {"predictor.py": SOURCE, "m/1/value": "1"}, API(name, predictor={"model_path": "m"})
    )
    server.deploy(project)
    assert on_disk(server) == 1
    shutil.rmtree(project / "m")
    server.ok("delete", name)
    eventually(lambda: on_disk(server) == 0, "the model leaves the disk")
