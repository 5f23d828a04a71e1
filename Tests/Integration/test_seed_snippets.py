"""The snippets of the two documents that define Cortex's interface, deployed, and asked as the documents ask.

A snippet is completed only by the imports, functions and methods that it leaves out.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from blackbox.conditions import eventually
from blackbox.documents import point_at, seed, seed_command
from blackbox.project import API, write
from blackbox.server import Server


def png(width: int, height: int) -> bytes:
    """A grey image of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    rows = (b"\0" + b"\x80" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def samples(folder: Path) -> Path:
    """A folder with the files that the documents' commands send."""
    path = folder / "samples"
    path.mkdir()
    (path / "file.json").write_text('{"key": "value"}')
    (path / "object.pkl").write_bytes(pickle.dumps({"key": "value"}))
    (path / "text.txt").write_text("contents of text.txt\n")
    (path / "image.png").write_bytes(png(31, 17))
    return path


def deploy(server: Server, folder: Path, name: str, source: str, requirements: str = "", **files: str) -> str:
    """Deploys one predictor under a name; returns its address."""
    more = {f"{stem}.py": text for stem, text in files.items()}
    if requirements:
        more["requirements.txt"] = requirements
    server.deploy(write(folder / name, {"predictor.py": source, **more}, API(name)))
    return server.url(name)


def shell(command: str, cwd: Path) -> bytes:
    """What a command of the document prints."""
    assert command.startswith("curl "), command
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl --silent --show-error --fail-with-body ", 1)],
        cwd=cwd,
        capture_output=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def client(snippet: str, url: str, cwd: Path) -> bytes:
    """Runs a Python snippet of the document; returns the body of the answer, which the snippet itself drops."""
    source = point_at(seed(snippet), url)
    watch = (
        "import sys, requests\n"
        "post = requests.post\n"
        "def watched(*arguments, **named):\n"
        "    answer = post(*arguments, **named)\n"
        "    answer.raise_for_status()\n"
        "    sys.stdout.buffer.write(answer.content)\n"
        "    return answer\n"
        "requests.post = watched\n"
    )
    run = f"{watch}exec(compile({source!r}, {snippet!r}, 'exec'))"
    done = subprocess.run([sys.executable, "-c", run], cwd=cwd, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def printed(server: Server, name: str, pattern: str) -> int:
    """How many lines of the API's log match."""
    return sum(bool(re.search(pattern, line)) for line in server.logs(name).splitlines())


def await_printed(server: Server, name: str, pattern: str, times: int) -> None:
    """Waits for what the snippet prints."""
    eventually(lambda: printed(server, name, pattern) == times, f"{pattern} printed {times} times")


VALUE = r"(?<![\w\"])value(?![\w\"])|\"value\""


def test_the_interface(server: Server, folder: Path) -> None:
    """The skeleton names `python_client`, which is there only with models: it says so, and runs without the name."""
    skeleton = seed("interface.py")
    project = write(folder / "interface", {"predictor.py": skeleton}, API("interface"))
    done = server.run("deploy", "--wait", cwd=project)
    assert done.returncode == 1, done
    assert "python_client" in done.stderr and "model" in done.stderr, done.stderr
    without = skeleton.replace("config, python_client", "config").replace("python_client # optional", "None")
    url = deploy(server, folder, "interface", without)
    answer = server.post("interface?a=1", json={"key": "value"})
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, "application/json", None)
    assert url.endswith("/interface")


def test_project_files(server: Server, folder: Path) -> None:
    completed = seed("values.py") + "\n    def predict(self):\n        return self.values\n"
    project = write(folder / "my-classifier", {"predictor.py": completed, "values.json": '{"labels": ["a", "b"]}'})
    write(project, {}, API("my-classifier"))
    server.deploy(project)
    assert server.post("my-classifier").json() == {"labels": ["a", "b"]}


TORCH = """
class cuda:
    @staticmethod
    def is_available():
        return False
"""

TRANSFORMERS = '''
"""A model of bigrams behind the interface of the real one: it has learnt one sentence."""

import random

TEXT = "machine learning is the study of programs that learn from data and data is the study of machine learning"
WORDS = sorted(set(TEXT.split()))


class Tensor(list):
    def to(self, device):
        assert device == "cpu"
        return self


class GPT2Tokenizer:
    @classmethod
    def from_pretrained(cls, name):
        assert name == "gpt2"
        return cls()

    def encode(self, text, return_tensors):
        assert return_tensors == "pt"
        return Tensor([[WORDS.index(word) for word in text.split()]])

    def decode(self, tokens):
        return " ".join(WORDS[token] for token in tokens)


class GPT2LMHeadModel:
    def __init__(self):
        self.followers = {}
        tokens = [WORDS.index(word) for word in TEXT.split()]
        for token, follower in zip(tokens, tokens[1:]):
            self.followers.setdefault(token, []).append(follower)

    @classmethod
    def from_pretrained(cls, name):
        return cls()

    def to(self, device):
        return self

    def generate(self, tokens, max_length, do_sample):
        assert do_sample
        out = list(tokens[0])
        while len(out) < max_length:
            out.append(random.choice(self.followers[out[-1]]))
        return [out]
'''


def test_the_text_generator(server: Server, folder: Path) -> None:
    """With stand-ins for torch and transformers, since the real model comes from a hub."""
    source = seed("text_generator.py")
    deploy(server, folder, "text-generator", source, torch=TORCH, transformers=TRANSFORMERS)
    answer = server.post("text-generator", json={"text": "machine learning is"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("machine learning is ")
    assert len(answer.text.split()) == 3 + 20
    server.await_log("text-generator", "using device: cpu")


def test_json_requests(server: Server, folder: Path, samples: Path) -> None:
    url = deploy(server, folder, "json-data", seed("json.py"))
    answers = [
        shell(seed_command("json.sh", url), samples),
        shell(seed_command("json_file.sh", url), samples),
        client("json_client.py", url, samples),
        client("json_string_client.py", url, samples),
    ]
    assert answers == [b"null"] * 4
    await_printed(server, "json-data", VALUE, 4)


def test_binary_requests(server: Server, folder: Path, samples: Path) -> None:
    url = deploy(server, folder, "binary-data", seed("binary.py"))
    answers = [shell(seed_command("binary.sh", url), samples), client("binary_client.py", url, samples)]
    assert answers == [b"null"] * 2
    await_printed(server, "binary-data", VALUE, 2)


def test_image_requests(server: Server, folder: Path, samples: Path) -> None:
    url = deploy(server, folder, "image-data", seed("image.py"), "Pillow\n")
    assert shell(seed_command("binary.sh", url).replace("object.pkl", "image.png"), samples) == b"null"
    await_printed(server, "image-data", r"\(31, 17\)", 1)


def test_form_file_requests(server: Server, folder: Path, samples: Path) -> None:
    url = deploy(server, folder, "form-files", seed("form_files.py"), "Pillow\n")
    answers = [shell(seed_command("form_files.sh", url), samples), client("form_files_client.py", url, samples)]
    assert answers == [b"null"] * 2
    await_printed(server, "form-files", "contents of text.txt", 2)
    await_printed(server, "form-files", VALUE, 2)
    await_printed(server, "form-files", r"\(31, 17\)", 2)


def test_form_text_requests(server: Server, folder: Path, samples: Path) -> None:
    url = deploy(server, folder, "form-text", seed("form_text.py"))
    answers = [shell(seed_command("form_text.sh", url), samples), client("form_text_client.py", url, samples)]
    assert answers == [b"null"] * 2
    await_printed(server, "form-text", VALUE, 2)


METHOD = "\n\nclass PythonPredictor:\n    predict = predict\n"


def test_an_answer_in_json(server: Server, folder: Path) -> None:
    deploy(server, folder, "answer-json", seed("answer_json.py") + METHOD)
    answer = server.post("answer-json", json={})
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"


def test_an_answer_in_text(server: Server, folder: Path) -> None:
    deploy(server, folder, "answer-string", seed("answer_string.py") + METHOD)
    answer = server.post("answer-string", json={})
    assert (answer.headers["content-type"], answer.text) == ("text/plain; charset=utf-8", "class 1")


def test_an_answer_in_bytes(server: Server, folder: Path) -> None:
    source = "import pickle\nimport numpy as np\n\n" + seed("answer_bytes.py") + METHOD
    deploy(server, folder, "answer-bytes", source, "numpy\n")
    answer = server.post("answer-bytes", json={})
    assert answer.headers["content-type"] == "application/octet-stream"
    assert Shape(io.BytesIO(answer.content)).load() == (3, 3)


class Shape(pickle.Unpickler):
    """Reads the shape of a pickled array, without numpy."""

    class Array:
        """What numpy's array tells pickle of itself."""

        def __init__(self, *_: object) -> None:
            self.shape: object = None

        def __setstate__(self, state: tuple[object, ...]) -> None:
            self.shape = state[1]

    def find_class(self, module: str, name: str) -> object:
        return (lambda *_: Shape.Array()) if name == "_reconstruct" else Shape.Array

    def load(self) -> object:
        return super().load().shape


def test_an_answer_of_starlettes(server: Server, folder: Path) -> None:
    deploy(server, folder, "answer-response", "import starlette.responses\n\n" + seed("answer_response.py") + METHOD)
    answer = server.post("answer-response", json={})
    assert (answer.headers["content-type"], answer.text) == ("text/plain; charset=utf-8", "class 1")


MULTI_MODEL = '''
from starlette.responses import JSONResponse

GOOD, BAD = {"best", "good", "love"}, {"bad", "hate", "worst"}


def initialize_model(task):
    """Small models of the test's own: one counts words of praise, one keeps the first sentence."""
    if task == "sentiment-analysis":
        return lambda text: sum((word in GOOD) - (word in BAD) for word in text.lower().split())
    assert task == "summarization"
    return lambda text: text.partition(".")[0] + "."


def postprocess(results):
    return results if isinstance(results, str) else "POSITIVE" if results >= 0 else "NEGATIVE"


'''


def test_several_models_without_naming_them(server: Server, folder: Path) -> None:
    """Of the document's answers the shape of the code binds: the code never gives a score."""
    yaml = seed("multi_model.yaml").replace("{...}", "{}").replace("    ...\n", "")
    project = write(folder / "multi", {"predictor.py": MULTI_MODEL + seed("multi_model.py"), "cortex.yaml": yaml})
    (project / "sample-sentiment.json").write_text('{"text": "the best day"}')
    (project / "sample-summarizer.json").write_text('{"text": "Machine learning is a study. It is large."}')
    server.deploy(project)
    url = server.url("multi-model-text-analyzer")
    address = seed_command("multi_model_endpoint.sh", url)
    assert address == f"api_endpoint={url}"

    def ask(snippet: str) -> object:
        return json.loads(shell(seed_command(snippet, url).replace("${api_endpoint}", url), project))

    assert ask("multi_model_sentiment.sh") == {"label": "POSITIVE"}
    assert ask("multi_model_summarizer.sh") == {"label": "Machine learning is a study."}
    answer = server.post("multi-model-text-analyzer?model=other", json={"text": ""})
    assert (answer.status_code, answer.json()) == (400, {"error": "unknown model: other"})
