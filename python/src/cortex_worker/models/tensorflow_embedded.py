"""TensorFlow in the worker itself."""

from __future__ import annotations

import gc
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from cortex_worker.errors import InferenceFailed, ModelLoadFailed
from cortex_worker.models.tensorflow_errors import SignatureError, titled
from cortex_worker.models.tensorflow_types import text_or_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cortex_worker.models.tensorflow_model import TensorFlowModel
    from cortex_worker.models.tensorflow_signature import Signature

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
#: What TensorFlow puts around the reason: where in the graph it was, and which function ran.
_NOISE = re.compile(r"^Graph execution error:.*?<stack traces unavailable>\s*|\s*\[\[\{\{.*|\s*\[Op:[^]]*\]", re.DOTALL)


class EmbeddedLoader:
    """Loads SavedModels with the `tensorflow` of the API's environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._threads = (
            _count(environ, "TF_NUM_INTRAOP_THREADS") or _count(environ, "OMP_NUM_THREADS"),
            _count(environ, "TF_NUM_INTEROP_THREADS"),
        )
        self._tensorflow: Any = None
        # It says a dozen lines about the processor and about deprecations, of no use in an API's log. Errors stay.
        self._is_quiet = _LOG_LEVEL not in environ and "tensorflow" not in sys.modules
        if self._is_quiet:
            os.environ.setdefault(_LOG_LEVEL, "2")

    def prepare(self) -> None:
        """Import TensorFlow, which takes seconds."""
        if self._tensorflow is not None:
            return
        try:
            import tensorflow
        except ImportError as error:
            raise ModelLoadFailed(_missing(error)) from error
        if self._is_quiet:
            tensorflow.get_logger().setLevel("ERROR")
        self._limit_threads(tensorflow)
        self._tensorflow = tensorflow
        # Its hundreds of thousands of objects stay for good. Unloading a model looks for cycles, and would look at each
        # of them for a good part of a second, in which no thread runs.
        gc.collect()
        gc.freeze()

    def load(self, name: str, version: str, path: str, signature_key: str | None) -> TensorFlowModel:
        """Load the SavedModel in the folder `path`."""
        self.prepare()
        from cortex_worker.models.tensorflow_model import TensorFlowModel
        from cortex_worker.models.tensorflow_signature import served_signature

        title = titled(name, version)
        graph = _served_graph(path)
        try:
            signature = served_signature(graph.signature_def, signature_key)
        except SignatureError as error:
            raise ModelLoadFailed(f"{title}: {error}") from None
        tags = list(graph.meta_info_def.tags)
        del graph
        loaded = self._tensorflow.saved_model.load(path, tags=tags)
        runner = _Runner(self._tensorflow, loaded, signature)
        # Of all that is loaded only the functions' graphs refer to themselves, and stay until a collection.
        return TensorFlowModel(title, signature, runner.run, graph=loaded.signatures[signature.key].graph)

    def _limit_threads(self, tensorflow: Any) -> None:
        intra, inter = self._threads
        threading = tensorflow.config.threading
        try:
            if intra:
                threading.set_intra_op_parallelism_threads(intra)
            if inter:
                threading.set_inter_op_parallelism_threads(inter)
        except RuntimeError:
            # The predictor has used TensorFlow already: its settings hold.
            return


class _Runner:
    """The function of a signature, and what its arguments and results need."""

    def __init__(self, tensorflow: Any, loaded: Any, signature: Signature) -> None:
        # The functions do not keep alive what they were loaded with, which has the variables.
        self._loaded = loaded
        self._function = loaded.signatures[signature.key]
        self._constant = tensorflow.constant
        self._inputs = {
            name: (getattr(tensorflow, spec.type.name), spec.type.name == "bfloat16")
            for name, spec in signature.inputs.items()
        }
        self._cast = tensorflow.cast
        self._outputs = [(name, _LISTS.get(spec.type.name, _numbers)) for name, spec in signature.outputs.items()]
        self._errors = (tensorflow.errors.OpError, TypeError, ValueError)

    def run(self, arrays: dict[str, Any]) -> dict[str, list[Any]]:
        try:
            results = self._function(**{name: self._tensor(name, array) for name, array in arrays.items()})
        except self._errors as error:
            raise InferenceFailed(_reason(error)) from error
        return {name: listed(results[name].numpy()) for name, listed in self._outputs}

    def _tensor(self, name: str, array: Any) -> Any:
        kind, is_cast = self._inputs[name]
        return self._cast(array, kind) if is_cast else self._constant(array, kind)


def _numbers(values: Any) -> list[Any]:
    listed: list[Any] = values.ravel().tolist()
    return listed


def _strings(values: Any) -> list[Any]:
    # A scalar comes as what it is.
    return [text_or_bytes(value) for value in ([values] if isinstance(values, bytes) else values.ravel())]


def _brain_floats(values: Any) -> list[Any]:
    return _numbers(values.astype("float32"))


_LISTS = {"string": _strings, "bfloat16": _brain_floats}


def _served_graph(path: str) -> Any:
    """The graph for serving, as a `MetaGraphDef`. Only its signatures are read."""
    from google.protobuf.message import DecodeError

    from cortex_worker.models.tensorflow_messages import messages

    try:
        with open(os.path.join(path, "saved_model.pb"), "rb") as file:
            graphs = list(messages()["SavedModel"].FromString(file.read()).meta_graphs)
    except FileNotFoundError:
        raise ModelLoadFailed("there is no saved_model.pb among the model's files") from None
    except DecodeError:
        raise ModelLoadFailed("saved_model.pb is no SavedModel; it may be damaged or cut off") from None
    serving = [graph for graph in graphs if "serve" in graph.meta_info_def.tags]
    # Beside the plain one there may be one for GPUs.
    serving.sort(key=lambda graph: len(graph.meta_info_def.tags))
    if serving or len(graphs) == 1:
        return (serving or graphs)[0]
    raise ModelLoadFailed("the SavedModel has no graph with the tag 'serve'")


def _reason(error: BaseException) -> str:
    text = str(getattr(error, "message", error))
    return _NOISE.sub("", text).strip() or type(error).__name__


def _missing(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow":
        return (
            "tensorflow is not installed in the environment of this API: add tensorflow, or tensorflow-cpu, to its "
            "requirements.txt; or name a TensorFlow Serving server with TENSORFLOW_SERVING_ADDRESS"
        )
    return f"tensorflow cannot be imported: {error}"


def _count(environ: Mapping[str, str], name: str) -> int | None:
    # OMP_NUM_THREADS may have one number for each level of nesting.
    first = environ.get(name, "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None
