"""Calls from one API to another by name, through the cluster's own DNS."""

from __future__ import annotations

from pathlib import Path

from blackbox.conditions import eventually
from blackbox.documents import seed
from blackbox.project import API, write
from cluster.target import ClusterTarget
from target import deploy, ok, post

GENERATOR = """
class PythonPredictor:
    def __init__(self, config):
        pass

    def predict(self, payload, context):
        print("generating for", context.request_id, "from", payload)
        return payload["text"] + " fun"
"""


def test_the_documents_snippet(target: ClusterTarget, folder: Path) -> None:
    """Byte for byte: `requests`, and a name with a port, which the cluster resolves and its gateways answer."""
    small = {"compute": {"cpu": "20m"}}
    apis = [
        API("text-generator", path="generator.py", sections=small),
        API("snippet", path="caller.py", sections=small),
    ]
    files = {"caller.py": seed("chaining.py"), "generator.py": GENERATOR, "requirements.txt": "requests\n"}
    deploy(target, write(folder / "project", files, *apis))
    try:
        answer = post(target, "snippet", json={}, headers={"X-Request-ID": "chain-snippet"})
        assert (answer.status_code, answer.text) == (200, "null")
        said = "generating for chain-snippet from {'text': 'machine learning is'}"
        eventually(lambda: said in ok(target, "logs", "text-generator"), "the called one knows the request")
    finally:
        for api in apis:
            target.cli("delete", api.name)
