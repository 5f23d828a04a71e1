"""The documents' snippets with models: their buckets and keys, on an S3 server of the test, asked as they ask.

A snippet is completed only by the imports, functions and lines that it leaves out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_seed_snippets import shell

from blackbox.documents import seed, seed_command
from blackbox.models import onnx_classes, onnx_linear, run_script, versions
from blackbox.project import API, write
from blackbox.s3 import S3
from blackbox.server import Server

BUCKET = "cortex-examples"
FLOWER = '{"sepal_length": 5.2, "sepal_width": 3.6, "petal_length": 1.4, "petal_width": 0.3}'
CAR = '{"cylinders": 4, "displacement": 135, "horsepower": 84, "weight": 2490, "acceleration": 15.7}'
MLFLOW = (Path(__file__).parents[2] / "examples" / "mpg-estimator" / "requirements.txt").read_text()


@pytest.fixture(scope="module")
def mpg(s3: S3, short_folder: Path) -> float:
    """Two versions of one regression where the document has them; gives what they say of the sample."""
    folder = short_folder / "linreg"
    said = float(run_script(Path(__file__).parent / "predictors" / "one_car.py", str(folder)))
    for version in (1, 2):
        s3.upload(BUCKET, f"sklearn/mpg-estimator/linreg/{version}/", folder)
    return said


@pytest.mark.slow
def test_versions_by_query_parameter(models_server: Server, folder: Path, mpg: float) -> None:
    server = models_server
    completion = "model_input = [payload[name] for name in FEATURES]"
    features = f"FEATURES = {list(json.loads(CAR))}\n\n"
    source = seed("mpg.py").replace("        # ...\n", f"        {completion}\n")
    assert completion in source
    project = write(
        folder / "mpg",
        {
            "predictor.py": features + source,
            "cortex.yaml": seed("mpg.yaml"),
            "requirements.txt": MLFLOW,
            "sample.json": CAR,
        },
    )
    server.deploy(project)
    url = server.url("mpg-estimator")
    assert seed_command("mpg_endpoint.sh", url) == f"api_endpoint={url}"
    for version in ("1", "2"):
        command = seed_command(f"mpg_{version}.sh", url).replace("${api_endpoint}", url)
        answer = json.loads(shell(command, project))
        assert answer == {"prediction": pytest.approx(mpg), "model": {"version": version}}
    assert versions(server, "mpg-estimator") == ["1", "2"]

    # The predictor of the other document, without a gap.
    assert seed("mpg_live.py") == (Path(__file__).parents[2] / "examples/mpg-estimator/predictor.py").read_text()
    server.deploy(write(project, {"predictor.py": seed("mpg_live.py")}))
    answer = json.loads(shell(f"curl {url} -H 'Content-Type: application/json' -d @sample.json", project))
    assert answer == {"prediction": pytest.approx(mpg), "model": {"version": None}}
    server.ok("delete", "mpg-estimator")


def test_the_interface_of_a_python_predictor(models_server: Server, s3: S3, folder: Path) -> None:
    """With models there is a `python_client`; a `load_model` that gives nothing is told what is amiss."""
    server = models_server
    s3.put(BUCKET, "interface/python/1/weights", b"1")
    api = API("interface-python", predictor={"model_path": f"s3://{BUCKET}/interface/python/"})
    project = write(folder, {"predictor.py": seed("interface.py")}, api)
    done = server.run("deploy", "--wait", cwd=project)
    assert done.returncode == 1, done
    assert "load_model" in done.stderr, done.stderr
    head, _, body = seed("interface.py").rpartition("        pass\n")
    server.deploy(write(project, {"predictor.py": head + "        return model_path\n" + body}, api))
    answer = server.post("interface-python", json={"key": "value"})
    assert (answer.status_code, answer.text) == (200, "null")
    server.ok("delete", "interface-python")


COLOURS = '''
"""What the document leaves out: an image is the mean of its pixels, and a class has a word."""

from urllib.request import urlopen

import numpy as np

LABELS = ["tabby", "Egyptian_cat", "sports_car"]


def preprocess(url):
    with urlopen(url, timeout=60) as answer:
        content = answer.read()
        if answer.headers.get_content_type() == "application/json":
            import json
            return json.loads(content)
    kind, size, most, pixels = content.split(b"\\n", 3)  # a portable pixmap
    assert (kind, most) == (b"P6", b"255")
    image = np.frombuffer(pixels, np.uint8).reshape(-1, 3).mean(axis=0) / 255
    return POSE(image)


'''


def pixmap(red: int, green: int, blue: int) -> bytes:
    """An image of one colour."""
    return b"P6\n4 4\n255\n" + bytes([red, green, blue]) * 16


@dataclass(frozen=True)
class Pictures:
    """Addresses of what the documents' samples point at."""

    cat: str
    car: str
    flower: str


@pytest.fixture(scope="module")
def pictures(s3: S3) -> Pictures:
    """Two images and a flower, that anybody may fetch over HTTP."""

    def publish(name: str, content: bytes, kind: str) -> str:
        s3.client.put_object(Bucket=BUCKET, Key=name, Body=content, ContentType=kind, ACL="public-read")
        return f"{s3.endpoint}/{BUCKET}/{name}"

    return Pictures(
        publish("samples/cat.ppm", pixmap(40, 180, 20), "image/x-portable-pixmap"),
        publish("samples/car.ppm", pixmap(200, 10, 20), "image/x-portable-pixmap"),
        publish("samples/flower.json", FLOWER.encode(), "application/json"),
    )


def test_several_models_in_onnx(models_server: Server, s3: S3, pictures: Pictures, folder: Path) -> None:
    server = models_server
    weights = {
        "resnet50": [[0, 0, 1], [1, 0, 0], [0, 0, 0]],
        "mobilenet": [[0, 0, 2], [2, 1, 0], [0, 0, 0]],
        "shufflenet": [[0, 0, 1], [0, 1, 0], [0, 0, 0]],
    }
    for name, matrix in weights.items():
        s3.put(BUCKET, f"onnx/{name}/{name}.onnx", onnx_linear(matrix))
    before = COLOURS.replace("POSE(image)", "image")
    post = "def postprocess(results):\n    return LABELS[int(np.argmax(results[0]))]\n\n\n"
    project = write(
        folder,
        {
            "predictor.py": before + post + seed("onnx_multi.py"),
            "cortex.yaml": seed("onnx_multi.yaml").replace("      ...\n", ""),
            "sample.json": json.dumps({"url": pictures.cat}),
        },
    )
    server.deploy(project)
    url = server.url("multi-model-classifier")
    assert seed_command("onnx_multi_endpoint.sh", url) == f"api_endpoint={url}"
    wanted = {"resnet50": "tabby", "mobilenet": "tabby", "shufflenet": "Egyptian_cat"}
    for model, label in wanted.items():
        command = seed_command(f"onnx_multi_{model}.sh", url).replace("${ENDPOINT}", url)
        assert json.loads(shell(command, project)) == {"label": label}
        assert versions(server, "multi-model-classifier", model) == ["1"], "a folder without versions is version 1"
    server.ok("delete", "multi-model-classifier")


def test_the_iris_classifier_and_the_interface_in_onnx(models_server: Server, s3: S3, folder: Path) -> None:
    server = models_server
    s3.put(BUCKET, "onnx/iris-classifier/1/iris.onnx", onnx_classes([[0, 1, 0], [3, 0, 0], [-1, 0, 1], [0, 0, 0.5]]))
    models = {"type": "onnx", "model_path": f"s3://{BUCKET}/onnx/iris-classifier/"}
    project = write(
        folder,
        {"iris.py": seed("onnx_iris.py"), "interface.py": seed("onnx_interface.py"), "file.json": FLOWER},
        API("iris-onnx", "iris.py", models),
        API("interface-onnx", "interface.py", models),
    )
    server.deploy(project)
    assert shell(seed_command("json_file.sh", server.url("iris-onnx")), project) == b"setosa"
    assert shell(seed_command("json.sh", server.url("interface-onnx")), project) == b"null"
    server.ok("delete", "iris-onnx")
    server.ok("delete", "interface-onnx")


@pytest.mark.slow
def test_all_of_tensorflow(models_server: Server, s3: S3, pictures: Pictures, saved_models: Path, folder: Path) -> None:
    """Three APIs in one file, since it is TensorFlow that takes its time to start."""
    server = models_server
    keys = {
        "inception": "tensorflow/image-classifier/inception/",
        "iris": "tensorflow/iris-classifier/nn/",
        "resnet50": "tensorflow/resnet50/",
    }
    for name, key in keys.items():
        s3.upload(BUCKET, f"{key}1/", saved_models / name)
    before = COLOURS.replace("POSE(image)", '{"image": [image.tolist()]}')
    post = 'def postprocess(results):\n    return results["labels"][0]\n\n\n'
    several = seed("tensorflow_multi.yaml").replace("      ...\n", "")
    models = {"type": "tensorflow", "model_path": f"s3://{BUCKET}/{keys['iris']}"}
    others = [API("iris-tensorflow", "iris.py", models), API("interface-tensorflow", "interface.py", models)]
    project = write(
        folder,
        {
            "predictor.py": before + post + seed("tensorflow_multi.py"),
            "iris.py": seed("tensorflow_iris.py"),
            "interface.py": seed("tensorflow_interface.py"),
            "sample-image.json": json.dumps({"url": pictures.car}),
            "sample-iris.json": json.dumps({"url": pictures.flower}),
            "file.json": FLOWER,
            "cortex.yaml": several + "".join(f"- {json.dumps(api.entry())}\n" for api in others),
        },
    )
    server.deploy(project)
    url = server.url("multi-model-classifier")
    assert seed_command("tensorflow_multi_endpoint.sh", url) == f"api_endpoint={url}"
    wanted = {"iris": "setosa", "resnet50": "sports_car", "inception": "sports_car"}
    for model, label in wanted.items():
        command = seed_command(f"tensorflow_multi_{model}.sh", url).replace("${ENDPOINT}", url)
        assert json.loads(shell(command, project)) == {"label": label}
    assert shell(seed_command("json_file.sh", server.url("iris-tensorflow")), project) == b"setosa"
    assert shell(seed_command("json.sh", server.url("interface-tensorflow")), project) == b"null"
    for api in ("multi-model-classifier", "iris-tensorflow", "interface-tensorflow"):
        server.ok("delete", api)
