"""Models in requests: versions and names, good and bad, and what is seen of them outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.invariants import Invariants
from blackbox.models import metadata, observed, onnx_value
from blackbox.project import API, write
from blackbox.server import Server

SOURCE = (Path(__file__).parent / "predictors" / "models.py").read_text()


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


def test_H17_no_line_is_forged_by_a_models_name(models_server: Server, named: str) -> None:
    forged = '\n{"ts": "now", "level": "error", "message": "forged", "request_id": "other"}\r\x1b[2J'
    for parameters in (f"model={quote(forged)}", f"model=one&version={quote(forged)}"):
        answer = models_server.post(f"{named}?{parameters}", headers={"X-Request-ID": "serving-forged"})
        assert answer.status_code in (400, 404), answer.text
        assert not re.search("[\x00-\x1f]", answer.json()["error"]), answer.text
    eventually(lambda: len(models_server.access_lines("serving-forged")) == 2, "both are in the access log")
    lines = (models_server.home / "logs" / "access.log").read_bytes().rpartition(b"\n")[0].split(b"\n")
    lines += models_server.ok("logs", named, "-o", "json").encode().splitlines()
    for each in lines:
        assert not re.search(b"[\x00-\x1f]", each), each
        assert json.loads(each).get("message") != "forged" and json.loads(each).get("request_id") != "other", each
