"""TensorFlow Serving in the pods of an API that names an image of it."""

from __future__ import annotations

from pathlib import Path

from blackbox.conditions import eventually
from blackbox.project import API, write
from cluster.kubectl import Kubectl
from cluster.target import ClusterTarget
from target import deploy, ok, post

PATIENCE = 120
"""Seconds in which a container comes up."""

PREDICTOR = """
class TensorFlowPredictor:
    def __init__(self, tensorflow_client, config):
        self.client = tensorflow_client

    def predict(self, payload):
        return self.client.predict({"x": payload["x"]}, payload.get("model"))
"""


def saved_model(folder: str, factor: float) -> dict[str, str]:
    """The files of what the stand-in takes for a model."""
    return {
        f"{folder}/saved_model.pb": f"{factor}",
        f"{folder}/variables/variables.index": "index",
        f"{folder}/variables/variables.data-00000-of-00001": "data",
    }


def test_models_run_in_a_server_beside_the_worker(
    target: ClusterTarget, inside: Kubectl, folder: Path, names: list[str], serving: str
) -> None:
    [name, *_] = names
    models = [{"name": "double", "model_path": "./double/"}, {"name": "half", "model_path": "./half/"}]
    wish = API(
        name,
        predictor={"type": "tensorflow", "tensorflow_serving_image": serving, "models": {"paths": models}},
        sections={"compute": {"cpu": "40m"}},
    )
    files = {"predictor.py": PREDICTOR, **saved_model("double/3", 2), **saved_model("half", 0.5)}
    deploy(target, write(folder / "project", files, wish))

    def answers() -> bool:
        return [post(target, name, json={"x": [4, 6], "model": model}).text for model in ("double", "half")] == [
            '{"y": [8.0, 12.0]}',
            '{"y": [2.0, 3.0]}',
        ]

    assert answers()
    [pod] = inside.json("get", "pods", "-l", f"cortex.dev/api={name}")["items"]
    pod_name = pod["metadata"]["name"]
    assert pod["spec"]["containers"][0]["image"] == serving
    shown = ok(target, "get", name)
    assert "double" in shown and "half" in shown, shown
    log = ok(target, "logs", name)
    assert f"[{pod_name}/tensorflow-serving] serves 2 versions" in log, log

    # A server that ends has the same models when it is back.
    inside.run("exec", pod_name, "-c", "tensorflow-serving", "--", "sh", "-c", "kill 1")

    def restarts() -> int:
        told = inside.json("get", "pod", pod_name)["status"]["containerStatuses"]
        return sum(container["restartCount"] for container in told)

    eventually(lambda: restarts() == 1, "the server is started again", PATIENCE)
    eventually(answers, "its models are there again", PATIENCE)
    told = inside.json("get", "pod", pod_name)["status"]["containerStatuses"]
    assert {container["name"]: container["restartCount"] for container in told} == {"api": 0, "tensorflow-serving": 1}
