"""Models that are not as they should be are told at deploy, all at once, with what was found: rows E01 to E20."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from blackbox.invariants import Invariants
from blackbox.models import onnx_value
from blackbox.project import API, write
from blackbox.s3 import S3, anything
from blackbox.server import Server

BUCKET = "deploying"
SOURCE = (Path(__file__).parent / "predictors" / "models.py").read_text()
SAVED = ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001")


@pytest.fixture(scope="module")
def good(models_server: Server, short_folder: Path) -> str:
    """An API that must go on answering."""
    name = "deploy-good"
    models_server.deploy(
        write(
            short_folder / name,
            {"predictor.py": SOURCE, "models/1/value": "1"},
            API(name, predictor={"model_path": "models"}),
        )
    )
    return name


@pytest.fixture
def invariants(models_server: Server, good: str) -> Invariants:
    """Checks that the good API answers."""
    return Invariants(models_server, lambda: models_server.post(good, json={}))


@dataclass(frozen=True)
class Case:
    """Files below the folder of a model, and what the refusal says."""

    type: str
    files: tuple[str, ...]
    words: tuple[str, ...]
    key: str = "model_path"
    path: str = "m/"
    drawn: bool = True
    more: dict[str, Any] = field(default_factory=dict)


CASES = {
    "E01-missing": Case("onnx", (), ("{where}",), drawn=False),
    "E01-file": Case("onnx", ("m/model.onnx",), ("m/model.onnx", "folder"), path="m/model.onnx", drawn=False),
    "E01-dir-missing": Case("onnx", (), ("{where}",), key="dir", drawn=False),
    "two-files": Case("onnx", ("m/1/a.onnx", "m/1/b.onnx"), ("version 1", "a.onnx", "b.onnx", "2 .onnx files")),
    "labels": Case("onnx", ("m/1/a.onnx", "m/1/labels.txt"), ("version 1", "labels.txt")),
    "no-onnx": Case("onnx", ("m/1/a.txt",), ("version 1", "no .onnx file", "a.txt")),
    "capitals": Case("onnx", ("m/1/A.ONNX",), ("A.ONNX", "small letters")),
    "folder-onnx": Case("onnx", ("m/x.onnx/weights",), ("x.onnx", "folder")),
    "E03-onnx": Case("onnx", ("m/1/a.onnx", "m/b.onnx"), ("b.onnx",)),
    "E03-onnx-stray": Case("onnx", ("m/1/a.onnx", "m/README"), ("README", "beside the versions")),
    "E03-tensorflow": Case(
        "tensorflow", (*(f"m/1/{file}" for file in SAVED), "m/notes.txt"), ("notes.txt", "beside the versions")
    ),
    "pbtxt": Case("tensorflow", ("m/1/saved_model.pbtxt",), ("saved_model.pbtxt", "saved_model.pb")),
    "no-variables": Case("tensorflow", ("m/1/saved_model.pb",), ("variables/variables.index",)),
    "no-shard": Case("tensorflow", tuple(f"m/1/{file}" for file in SAVED[:2]), ("variables.data-00000-of",)),
    "one-of-two": Case(
        "tensorflow", (*(f"m/1/{file}" for file in SAVED), "m/2/saved_model.pb"), ("version 2", "variables.index")
    ),
    "number-file": Case("python", ("m/1",), ("1", "file")),
    "stray-in-dir": Case("onnx", ("m/a/1/a.onnx", "m/README"), ("README", "file"), key="dir"),
    "bad-in-dir": Case("onnx", ("m/a/1/a.onnx", "m/b/1/b.txt"), ("m/b/", "no .onnx file"), key="dir"),
    "reserved": Case("onnx", ("m/_cortex_default/1/a.onnx",), ("_cortex_default",), key="dir", drawn=False),
}


def api_of(name: str, case: Case, root: str) -> API:
    """An API on the case's models."""
    where = root + case.path
    models = {"dir": where, **case.more} if case.key == "dir" else None
    keys: dict[str, Any] = {"type": case.type, **({"models": models} if models else {"model_path": where})}
    return API(name, predictor=keys)


def refused(server: Server, project: Path, api: API, field: str) -> str:
    """What `cortex deploy` prints on standard error; nothing may have come of the API."""
    done = server.run("deploy", "--wait", cwd=project)
    assert done.returncode == 1, done
    assert f"{api.name}: {field}: " in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert server.run("get", api.name).returncode == 1, "nothing was deployed"
    return done.stderr


@pytest.mark.parametrize("place", ["folder", "s3"])
@pytest.mark.parametrize("name", CASES)
def test_a_tree_that_is_no_model_is_drawn(
    models_server: Server, s3: S3, invariants: Invariants, folder: Path, name: str, place: str
) -> None:
    case, server = CASES[name], models_server
    root = ""
    if place == "s3":
        s3.client.create_bucket(Bucket=BUCKET)
        root = f"s3://{BUCKET}/{name}/"
        for file in case.files:
            s3.put(BUCKET, f"{name}/{file}", b"x")
    files: dict[str, str | bytes] = {} if place == "s3" else {file: b"x" for file in case.files}
    api = api_of(f"refused-{name}".lower(), case, root)
    project = write(folder / "project", {"predictor.py": SOURCE, **files}, api)
    said = refused(server, project, api, "predictor.models.dir" if case.key == "dir" else "predictor.model_path")
    where = root + case.path if root else str(project / case.path)
    for words in case.words:
        assert words.format(where=where) in said, said
    assert "cortex.yaml:" in said, "the place in the file is named"
    assert ("found:" in said) == case.drawn, said
    if case.drawn and case.type != "python":
        assert "expected:" in said or case.key == "dir", said
    invariants.goes_on()


def test_all_that_is_wrong_is_told_at_once(models_server: Server, invariants: Invariants, folder: Path) -> None:
    entries = [{"name": name, "model_path": f"{name}/"} for name in ("one", "two", "three")]
    api = API("refused-several", predictor={"type": "onnx", "models": {"paths": entries}})
    files = {"one/1/a.onnx": b"x", "two/1/a.txt": b"x"}
    project = write(folder / "project", {"predictor.py": SOURCE, **files}, api)
    said = refused(models_server, project, api, "predictor.models.paths[1].model_path")
    assert "predictor.models.paths[2].model_path" in said and "paths[0]" not in said, said
    invariants.goes_on()


def test_E03_python_takes_a_mixed_folder_as_one_model(models_server: Server, folder: Path) -> None:
    server, api = models_server, API("mixed", predictor={"model_path": "m"})
    project = write(folder / "project", {"predictor.py": SOURCE, "m/value": "7", "m/1/value": "1"}, api)
    done = server.run("deploy", "--wait", cwd=project)
    assert done.returncode == 0, done
    assert "warning" in (done.stderr + done.stdout) and "without versions" in done.stderr + done.stdout, done
    assert server.post("mixed?version=1").text == "7+1"
    server.ok("delete", "mixed")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_E01_a_folder_that_may_not_be_read(models_server: Server, folder: Path) -> None:
    api = API("unreadable", predictor={"model_path": "m"})
    project = write(folder / "project", {"predictor.py": SOURCE, "m/1/value": "7"}, api)
    (project / "m").chmod(0)
    try:
        said = refused(models_server, project, api, "predictor.model_path")
    finally:
        (project / "m").chmod(0o700)
    assert "m" in said and "permission" in said


def test_E16_a_link_that_leads_out_of_the_tree(models_server: Server, invariants: Invariants, folder: Path) -> None:
    api = API("linked", predictor={"model_path": "m"})
    files: dict[str, str | bytes] = {"predictor.py": SOURCE, "m/1/value": "7", ".cortexignore": "m/\n"}
    project = write(folder / "project", files, api)
    (folder / "s3cret").write_text("the s3cret of somebody else")
    (project / "m" / "1" / "weights").symlink_to(folder / "s3cret")
    said = refused(models_server, project, api, "predictor.model_path")
    assert "weights" in said and "link" in said, said
    copies = [file for file in models_server.home.rglob("weights") if file.is_file()]
    assert copies == []
    invariants.goes_on()


def test_E16_names_that_climb(models_server: Server, s3: S3, invariants: Invariants, folder: Path) -> None:
    s3.client.create_bucket(Bucket=BUCKET)
    s3.put(BUCKET, "climbing/1/value", b"1")
    s3.put(BUCKET, "climbing/1/../../../escaped", b"1")
    api = API("climbing", predictor={"model_path": f"s3://{BUCKET}/climbing/"})
    said = refused(models_server, write(folder / "project", {"predictor.py": SOURCE}, api), api, "predictor.model_path")
    assert ".." in said, said
    assert not list(models_server.home.parent.rglob("escaped"))
    invariants.goes_on()


STORE_FAULTS: dict[str, tuple[Callable[[S3], Any], tuple[str, ...]]] = {
    "forbidden": (lambda s3: s3.failing("status", anything, 403), ("access is denied", "AWS_ACCESS_KEY_ID")),
    "down": (lambda s3: s3.down(), ("127.0.0.1",)),
}


@pytest.mark.parametrize("name", STORE_FAULTS)
def test_E14_a_store_that_does_not_give(
    models_server: Server, s3: S3, invariants: Invariants, folder: Path, name: str
) -> None:
    s3.client.create_bucket(Bucket=BUCKET)
    s3.put(BUCKET, "there/1/value", b"1")
    make, words = STORE_FAULTS[name]
    where = f"s3://{BUCKET}/there/"
    api = API(f"store-{name}", predictor={"model_path": where})
    project = write(folder / "project", {"predictor.py": SOURCE}, api)
    with make(s3):
        said = refused(models_server, project, api, "predictor.model_path")
    assert BUCKET in said, said
    for word in words:
        assert word in said, said
    assert "s3cret" not in said, "keys are not told"
    invariants.goes_on()
    models_server.deploy(project)
    models_server.ok("delete", api.name)


def test_E14_a_bucket_that_is_not_there(models_server: Server, invariants: Invariants, folder: Path) -> None:
    api = API("no-bucket", predictor={"model_path": "s3://no-such-bucket/models/"})
    project = write(folder / "project", {"predictor.py": SOURCE}, api)
    said = refused(models_server, project, api, "predictor.model_path")
    assert "no-such-bucket" in said and "bucket" in said, said
    invariants.goes_on()


CONFIGS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "E13-disk-below-memory": (
        {"models": {"dir": "m", "cache_size": 3, "disk_cache_size": 2}},
        ("disk_cache_size", "cache_size"),
    ),
    "E13-only-memory": ({"models": {"dir": "m", "cache_size": 3}}, ("disk_cache_size",)),
    "E13-only-disk": ({"models": {"dir": "m", "disk_cache_size": 3}}, ("cache_size",)),
    "E13-processes": (
        {"models": {"dir": "m", "cache_size": 1, "disk_cache_size": 1}, "processes_per_replica": 2},
        ("processes_per_replica",),
    ),
    "E13-zero": ({"models": {"dir": "m", "cache_size": 0, "disk_cache_size": 1}}, ("cache_size",)),
    "E20-twice": (
        {"models": {"paths": [{"name": "a", "model_path": "m"}, {"name": "a", "model_path": "m"}]}},
        ("a", "name"),
    ),
    "E20-paths-and-dir": (
        {"models": {"dir": "m", "paths": [{"name": "a", "model_path": "m"}]}},
        ("paths", "dir"),
    ),
    "E20-both": ({"model_path": "m", "models": {"dir": "m"}}, ("model_path", "models")),
    "E20-reserved": ({"models": {"paths": [{"name": "_cortex_default", "model_path": "m"}]}}, ("_cortex_default",)),
    "E09-name": ({"models": {"paths": [{"name": "../etc", "model_path": "m"}]}}, ("../etc",)),
    "scheme": ({"model_path": "ftp://example.org/m"}, ("ftp", "s3://")),
    "bucket-alone": ({"model_path": "s3://bucket"}, ("s3://bucket",)),
    "password": ({"model_path": "https://joe:s3cret@example.org/m/"}, ("password", "URL")),
    "onnx-signature": ({"type": "onnx", "model_path": "m", "signature_key": "x"}, ("signature_key",)),
    "onnx-none": ({"type": "onnx"}, ("model_path", "models")),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_that_breaks_a_rule_of_models_quotes_it(models_server: Server, folder: Path, name: str) -> None:
    keys, words = CONFIGS[name]
    api = API("ruled", predictor=keys)
    project = write(folder / "project", {"predictor.py": SOURCE, "m/1/value": "1"}, api)
    for command in (("validate",), ("deploy", "--wait")):
        done = models_server.run(*command, cwd=project)
        assert done.returncode == 1, done
        said = done.stdout + done.stderr
        for word in words:
            assert word in said, said
    assert models_server.run("get", "ruled").returncode == 1


def test_E20_both_keys_of_a_path_are_known(models_server: Server, folder: Path) -> None:
    server = models_server
    entries = [{"name": "a", "model_path": "a"}, {"name": "b", "path": "b"}]
    api = API("two-keys", predictor={"models": {"paths": entries}})
    server.deploy(write(folder / "project", {"predictor.py": SOURCE, "a/value": "1", "b/value": "2"}, api))
    assert [server.post(f"two-keys?model={name}").text for name in "ab"] == ["1", "2"]
    server.ok("delete", "two-keys")


def test_several_apis_in_one_file_have_their_own_models(models_server: Server, s3: S3, folder: Path) -> None:
    server = models_server
    s3.client.create_bucket(Bucket=BUCKET)
    for name in ("app", "apple"):
        s3.put(BUCKET, f"own/{name}/1/value", name.encode())
    paths = [{"name": name, "model_path": f"s3://{BUCKET}/own/{name}"} for name in ("app", "apple")]
    apis = [
        API("own-first", predictor={"model_path": "first"}),
        API("own-second", predictor={"model_path": "second"}),
        API("own-both", predictor={"models": {"paths": paths}}),
        API("own-dir", predictor={"models": {"dir": f"s3://{BUCKET}/own/"}}),
    ]
    files = {"first/1/value": "first", "second/1/value": "second", "second/2/value": "2nd"}
    server.deploy(write(folder / "project", {"predictor.py": SOURCE, **files}, *apis))
    assert [server.post(name).text for name in ("own-first", "own-second")] == ["first", "2nd"]
    for api in ("own-both", "own-dir"):
        assert [server.post(f"{api}?model={name}").text for name in ("app", "apple")] == ["app", "apple"]
    for made in apis:
        server.ok("delete", made.name)


@pytest.mark.slow  # for the S3 server
def test_more_keys_than_one_listing_holds(models_server: Server, s3: S3, folder: Path) -> None:
    server = models_server
    s3.client.create_bucket(Bucket=BUCKET)
    with ThreadPoolExecutor(4) as uploads:
        list(uploads.map(lambda number: s3.put(BUCKET, f"many/1/{number:04d}", b""), range(1001)))
    s3.put(BUCKET, "many/1/value", b"all of it: ")
    api = API("many-keys", predictor={"model_path": f"s3://{BUCKET}/many"})
    server.deploy(write(folder / "project", {"predictor.py": SOURCE}, api))
    answer = server.post("many-keys").text
    assert answer == "all of it: " + "".join(f"+{number:04d}" for number in range(1001))
    server.ok("delete", "many-keys")


def test_an_onnx_model_that_does_not_load_fails_the_start(
    models_server: Server, invariants: Invariants, folder: Path
) -> None:
    """What only the runtime can tell: the API has never been live, so the deploy fails and says why."""
    server = models_server
    api = API("no-graph", predictor={"type": "onnx", "model_path": "m"})
    project = write(folder / "project", {"predictor.py": SOURCE, "m/1/model.onnx": b"no model at all"}, api)
    done = server.run("deploy", "--wait", cwd=project)
    assert done.returncode == 1, done
    assert "version 1" in done.stderr and "model" in done.stderr, done.stderr
    server.ok("delete", api.name)
    write(project, {"m/1/model.onnx": onnx_value(4)})
    server.deploy(project)
    assert server.post("no-graph").text == "4"
    invariants.goes_on()
    server.ok("delete", "no-graph")
