"""Pre-installed packages: what a project imports is there without a line in requirements.txt."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.models import onnx_value, run_script
from blackbox.project import API, write
from blackbox.server import Server

REPORT = """
{imports}
class {kind}:
    def __init__(self, config{client}):
        pass
    def predict(self, payload):
        import importlib.util
        return {{name: importlib.util.find_spec(name) is not None for name in payload}}
"""

# The lists of the documentation, by type, as they are imported; torch has tests of its own.
COMMON = [
    "boto3", "dill", "fastapi", "msgpack", "numpy", "yaml", "requests",
    "starlette", "uvicorn", "multipart", "jinja2", "datadog", "grpc",
]  # fmt: skip
PYTHON = [
    "cloudpickle", "Cython", "joblib", "keras", "nltk", "np_utils", "cv2", "pandas", "PIL", "skimage",
    "sklearn", "scipy", "six", "statsmodels", "sympy", "tensorflow_hub", "tensorflow", "xgboost",
]  # fmt: skip
TENSORFLOW = ["cv2", "tensorflow", "tensorflow_hub", "tensorflow_serving.apis.predict_pb2"]
ONNX = ["onnxruntime"]

HAS_CUDA_BUILDS = sys.platform == "linux" and platform.machine() == "x86_64"
only_with_cuda_builds = pytest.mark.skipif(not HAS_CUDA_BUILDS, reason="the usual build of torch has no CUDA here")


def predictor(imports: str, kind: str = "PythonPredictor", client: str = "") -> str:
    """A predictor that tells which modules are there."""
    return REPORT.format(imports=imports, kind=kind, client=client)


def environments(server: Server) -> set[str]:
    """The environments that are there."""
    return {path.name for path in (server.home / "environments").iterdir() if len(path.name) == 64}


def deploy_fails(server: Server, project: Path) -> str:
    """What a deploy that must fail says."""
    done = server.run("deploy", "cortex.yaml", "--wait", cwd=project)
    assert done.returncode == 1, (done.stdout, done.stderr)
    return done.stderr


@pytest.fixture(scope="module")
def packages_server(binary: Path, short_folder: Path) -> Iterator[Server]:
    """A server whose environments no other test has made."""
    with Server(binary, short_folder / "packages") as server:
        yield server


def test_what_is_imported_is_there_and_nothing_else(packages_server: Server, folder: Path) -> None:
    server = packages_server
    source = predictor(
        """
import numpy
from helper import text
try:
    import yaml, tensorflow
except ImportError:
    pass
if __name__ == "__main__":
    import pandas
"""
    )
    files: dict[str, str | bytes] = {
        "predictor.py": source,
        "helper.py": "import six\ntext = six.text_type",
        "unused.py": "import sympy",
    }
    server.deploy(write(folder / "project", files, API("alone")))
    found = server.post("alone", json=["numpy", "six", "yaml", "tensorflow", "pandas", "sympy", "sklearn"]).json()
    assert [name for name, is_there in found.items() if is_there] == ["numpy", "six", "yaml"]


def test_names_that_are_computed_are_found(packages_server: Server, folder: Path) -> None:
    source = predictor("import importlib\nfor name in ('six', 'jinja2'):\n    importlib.import_module(name)")
    packages_server.deploy(write(folder / "project", {"predictor.py": source}, API("computed")))
    assert "is missing" not in packages_server.logs("computed")


def imports_of(modules: list[str]) -> str:
    return "".join(f"import {module}\n" for module in modules)


@pytest.mark.slow
def test_a_python_predictor_imports_its_whole_list(packages_server: Server, folder: Path) -> None:
    server = packages_server
    source = predictor(imports_of(COMMON + PYTHON))
    server.deploy(write(folder / "project", {"predictor.py": source}, API("list-python")))
    found = server.post("list-python", json=[*COMMON, *PYTHON]).json()
    assert all(found.values()), found
    # One TensorFlow is enough.
    key = max(environments(server), key=lambda name: (server.home / "environments" / name).stat().st_mtime)
    site = next((server.home / "environments" / key).glob("**/site-packages"))
    built = {path.name.rpartition("-")[0] for path in site.glob("tensorflow*.dist-info")}
    assert len([name for name in built if not name.startswith(("tensorflow_hub", "tensorflow_io"))]) == 1, built


@pytest.mark.slow
def test_an_onnx_predictor_imports_its_whole_list(packages_server: Server, folder: Path) -> None:
    source = predictor(imports_of(COMMON + ONNX), "ONNXPredictor", ", onnx_client")
    files: dict[str, str | bytes] = {"predictor.py": source, "model/1/model.onnx": onnx_value(1)}
    api = API("list-onnx", predictor={"type": "onnx", "model_path": "model"})
    packages_server.deploy(write(folder / "project", files, api))
    found = packages_server.post("list-onnx", json=[*COMMON, *ONNX]).json()
    assert all(found.values()), found


@pytest.mark.slow
def test_a_tensorflow_predictor_imports_its_whole_list(
    packages_server: Server, folder: Path, saved_models: Path
) -> None:
    source = predictor(imports_of(COMMON + TENSORFLOW), "TensorFlowPredictor", ", tensorflow_client")
    api = API("list-tensorflow", predictor={"type": "tensorflow", "model_path": str(saved_models / "iris")})
    packages_server.deploy(write(folder / "project", {"predictor.py": source}, api))
    found = packages_server.post("list-tensorflow", json=[*COMMON, "cv2", "tensorflow_serving"]).json()
    assert all(found.values()), found


UNPICKLES = """
import pickle
class PythonPredictor:
    def __init__(self, config):
        with open("model.pkl", "rb") as file:
            self.model = pickle.load(file)
    def predict(self, payload):
        return self.model.predict(payload).tolist()
"""


@pytest.fixture(scope="module")
def pickled(short_folder: Path) -> bytes:
    """A small scikit-learn model."""
    path = short_folder / "model.pkl"
    run_script(Path(__file__).parent / "predictors" / "pickled_model.py", str(path))
    return path.read_bytes()


def test_a_model_that_is_only_unpickled_brings_its_packages(
    packages_server: Server, folder: Path, pickled: bytes
) -> None:
    server = packages_server
    project = write(folder / "project", {"predictor.py": UNPICKLES, "model.pkl": pickled}, API("unpickled"))
    server.deploy(project)
    assert server.post("unpickled", json=[[0.0], [9.0]]).json() == [0, 1]
    assert "scikit-learn is missing (sklearn): adding it" in server.logs("unpickled")
    before = environments(server)
    # Another deploy begins with what the first one has found out, and so does a server that is started again.
    (project / "more.txt").write_text("more")
    server.deploy(project)
    assert server.logs("unpickled").count("adding it") == 1
    server.stop()
    server.start()
    eventually(lambda: server.get("unpickled/readyz").status_code == 200, "it serves again", 60)
    assert server.logs("unpickled").count("adding it") == 1
    assert environments(server) == before


def test_a_model_that_load_model_unpickles_brings_its_packages(
    packages_server: Server, folder: Path, pickled: bytes
) -> None:
    source = """
        import pickle
        class PythonPredictor:
            def __init__(self, config, python_client):
                self.client = python_client
            def load_model(self, model_path):
                with open(model_path + "/model.pkl", "rb") as file:
                    return pickle.load(file)
            def predict(self, payload):
                return self.client.get_model().predict(payload).tolist()
    """
    files: dict[str, str | bytes] = {"predictor.py": source, "model/1/model.pkl": pickled}
    packages_server.deploy(write(folder / "project", files, API("loaded", predictor={"model_path": "model"})))
    assert packages_server.post("loaded", json=[[9.0]]).json() == [1]


LATE = """
class PythonPredictor:
    def __init__(self, config):
        pass
    def predict(self, payload):
        return __import__(payload).__name__
"""


def test_a_module_that_a_request_misses_is_added_without_a_gap(packages_server: Server, folder: Path) -> None:
    server = packages_server
    server.deploy(
        write(folder / "project", {"predictor.py": LATE}, API("late", predictor={"processes_per_replica": 2}))
    )
    with Load(server.url("late"), json="json") as load:
        assert server.post("late", json="six").status_code == 500

        def answers() -> bool:
            return server.post("late", json="six").text == "six"

        eventually(answers, "six is there", 60)
    assert load.failures() == []
    assert "six is missing (six): adding it" in server.logs("late")
    assert server.json("get", "late")[0]["status"]["status_code"] == "status_live"


def test_a_module_that_cannot_be_added_leaves_the_api_as_it_is(packages_server: Server, folder: Path) -> None:
    server = packages_server
    server.deploy(write(folder / "project", {"predictor.py": LATE}, API("never")))
    assert server.post("never", json="no_such_module").status_code == 500
    line = server.await_log("never", "no_such_module: add")
    assert "add the package that has the module no_such_module to requirements.txt" in line
    assert server.post("never", json="json").text == "json"


def test_an_unknown_module_fails_with_what_to_do(packages_server: Server, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": predictor("import bs4")}, API("unknown"))
    said = deploy_fails(packages_server, project)
    assert "No module named 'bs4'; add `beautifulsoup4` to requirements.txt, which has the module bs4" in said


def test_a_neuron_package_fails_with_what_to_do(packages_server: Server, folder: Path) -> None:
    project = write(folder / "project", {"predictor.py": predictor("import neuroncc")}, API("neuron"))
    said = deploy_fails(packages_server, project)
    assert (
        "neuron-cc is not in the package index: add `--extra-index-url https://pip.repos.neuron.amazonaws.com`" in said
    )


def test_the_projects_pins_win(packages_server: Server, folder: Path) -> None:
    source = """
        import numpy, sklearn
        class PythonPredictor:
            def __init__(self, config):
                pass
            def predict(self, payload):
                return [numpy.__version__, sklearn.__version__]
    """
    files: dict[str, str | bytes] = {"predictor.py": source, "requirements.txt": "numpy<2.3\n"}
    packages_server.deploy(write(folder / "project", files, API("pinned")))
    release = packages_server.post("pinned", json=0).json()[0]
    assert tuple(map(int, release.split(".")[:2])) < (2, 3)


def wheel(folder: Path, name: str, version: str, code: str) -> None:
    """A package of one module."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", code)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@only_with_cuda_builds
def test_torch_comes_from_a_folder_of_wheels(packages_server: Server, folder: Path) -> None:
    wheel(folder / "wheels", "torch", "2.0.1", "__version__ = '2.0.1, from the folder'")
    source = """
        import torch
        class PythonPredictor:
            def __init__(self, config):
                pass
            def predict(self, payload):
                return torch.__version__
    """
    files: dict[str, str | bytes] = {"predictor.py": source, ".env": f"UV_FIND_LINKS={folder / 'wheels'}\n"}
    packages_server.deploy(write(folder / "project", files, API("torch")))
    assert packages_server.post("torch", json=0).text == "2.0.1, from the folder"


@only_with_cuda_builds
def test_torch_that_is_out_of_reach_fails_with_what_to_do(packages_server: Server, folder: Path) -> None:
    (folder / "empty").mkdir()
    indexes = [os.environ.get(name, "") for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "PIP_INDEX_URL")]
    hosts = [urlsplit(url).hostname or "" for urls in indexes for url in urls.split()]
    public = "from pip._internal.models.index import PyPI; print(PyPI.netloc, PyPI.file_storage_domain)"
    known = subprocess.run([shutil.which("python3") or sys.executable, "-c", public], capture_output=True, text=True)
    # Nobody listens at the proxy, which all but the package index are asked through.
    reachable = ",".join([*known.stdout.split(), *filter(None, hosts)])
    settings = {
        "UV_FIND_LINKS": folder / "empty",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": reachable,
    }
    variables = "".join(f"{name}={value}\n" for name, value in settings.items())
    files: dict[str, str | bytes] = {"predictor.py": predictor("import torch"), ".env": variables}
    said = deploy_fails(packages_server, write(folder / "project", files, API("no-torch")))
    assert "no build of torch for CPUs is in reach" in said
    assert "UV_FIND_LINKS" in said and "add `torch` to requirements.txt" in said
    assert packages_server.get("no-torch/readyz").status_code == 503


def test_the_list_of_the_documentation_is_what_is_tested(repository: Path) -> None:
    """Each package of the page is imported above."""
    page = (repository / "docs" / "python-packages.md").read_text()
    for module in COMMON + PYTHON + TENSORFLOW + ONNX + ["torch", "torchvision"]:
        assert f"`{module.split('.')[0]}`" in page, module


def test_a_scan_of_imports_runs_nothing_of_the_project(packages_server: Server, folder: Path) -> None:
    trap = folder / "was-run"
    source = predictor("import six")
    files: dict[str, str | bytes] = {
        "predictor.py": source,
        "six_helper.py": f"open({str(trap)!r}, 'w')",
        "ast.py": f"open({str(trap)!r}, 'w')",
        "sitecustomize.py": f"open({str(trap)!r}, 'w')",
        "requirements.txt": "no-such-package-of-anybodys==99",
    }
    deploy_fails(packages_server, write(folder / "project", files, API("trap")))
    assert not trap.exists()
