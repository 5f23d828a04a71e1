"""A version whose load ends the process: it is left alone, and the version before it serves."""

from __future__ import annotations

from pathlib import Path

from blackbox.conditions import eventually
from blackbox.models import observed
from blackbox.project import API, write
from blackbox.server import Server

NAME = "poisoned"
SOURCE = """
import os


class PythonPredictor:
    def __init__(self, config, python_client):
        self.client = python_client

    def load_model(self, model_path):
        with open(os.path.join(model_path, "value")) as file:
            value = file.read()
        if value == "poison":
            os._exit(4)
        return value

    def predict(self, query_params):
        return self.client.get_model(model_version=query_params.get("version", "latest"))
"""


def test_a_version_whose_load_ends_the_worker_harms_only_itself(models_server: Server, short_folder: Path) -> None:
    folder = short_folder / NAME
    models_server.deploy(
        write(folder, {"predictor.py": SOURCE, "models/1/value": "good"}, API(NAME, predictor={"model_path": "models"}))
    )
    assert models_server.post(NAME).text == "good"
    (folder / "models/2").mkdir()
    (folder / "models/2/value").write_text("poison")

    def refused() -> str | None:
        error: str | None = observed(models_server, NAME).get("2", {}).get("error")
        return error if error and "its load has ended the worker 2 times" in error else None

    eventually(refused, "the version to be left alone")
    eventually(lambda: models_server.post(NAME).status_code == 200 or None, "the version before it to serve")
    answer = models_server.post(NAME)
    assert (answer.text, answer.headers["x-cortex-model-version"]) == ("good", "1")
    latest = {version: entry["is_latest"] for version, entry in observed(models_server, NAME).items()}
    assert latest == {"1": True, "2": False}
    asked = models_server.post(NAME, params={"version": "2"})
    assert (asked.status_code, asked.json()["code"]) == (500, "MODEL_LOAD_FAILED")
    assert models_server.post(NAME).text == "good"

    # Other content is tried again.
    (folder / "models/2/value").write_text("mended")
    eventually(lambda: models_server.post(NAME).text == "mended" or None, "the mended version to serve")
