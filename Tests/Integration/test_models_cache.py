"""The caches of models: loaded once, never more than the limit, exact on disk (rows E11 and E12)."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blackbox.conditions import eventually
from blackbox.models import metadata, observed, on_disk
from blackbox.project import API, write
from blackbox.s3 import S3
from blackbox.server import Server

BUCKET = "caching"
SOURCE = (Path(__file__).parent / "predictors" / "models.py").read_text()

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


def test_misses_are_answered_while_processes_stand_still(own_models_server: Server, folder: Path) -> None:
    name, models = "stalls", "abcdef"
    source = f"import os\n{COUNTING}\n\nPythonPredictor.predict = lambda self, query_params: (\n"
    source += '    self.client.get_model(query_params["model"]).value if query_params else str(os.getpid())\n)\n'
    limits = {"dir": "models", "cache_size": 2, "disk_cache_size": 3}
    keys = {"models": limits, "threads_per_process": 8, "config": {"log": str(folder / "loads")}}
    files = {f"models/{model}/1/value": model for model in models}
    project = {"predictor.py": source, **files}
    own_models_server.deploy(write(folder / "project", project, API(name, predictor=keys)))
    pids = [own_models_server.pid, int(own_models_server.post(name).text)]
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
        answer = own_models_server.post(f"{name}?model={model}")
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
    assert own_models_server.metrics("cortex_model_evictions_total", api=name) >= 20


def test_the_cache_on_disk_is_exact_at_every_moment(own_models_server: Server, s3: S3, folder: Path) -> None:
    """Six models, two of them on disk, the ones used last; what is on disk is not fetched again."""
    s3.make(BUCKET)
    server, name = own_models_server, "disk-cache"
    for model in "abcdef":
        s3.put(BUCKET, f"disk/{model}/1/value", model.encode())
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
    before = s3.reads("disk/")
    assert server.post(f"{name}?model=c").text == "c"
    assert s3.reads("disk/") == before, "from disk to memory, without the store"
    # Changed in the store: the next request that finds the new one in the index gets it.
    s3.put(BUCKET, "disk/c/1/value", b"cc")
    eventually(lambda: server.post(f"{name}?model=c").text == "cc", "the changed model is fetched")
    assert on_disk(server) <= 2
    server.ok("delete", name)
    eventually(lambda: on_disk(server) == 0, "what no API needs leaves the disk")
