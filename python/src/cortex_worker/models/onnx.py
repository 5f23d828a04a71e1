"""`onnx_client`: models in the ONNX format, run by onnxruntime in this process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cortex_worker.errors import InferenceFailed, ModelError, ModelLoadFailed
from cortex_worker.models.client import ModelClient
from cortex_worker.models.loading import LoadedModel
from cortex_worker.models.naming import SINGLE_MODEL

if TYPE_CHECKING:
    from cortex_worker.models.entry import Entry
    from cortex_worker.models.onnx_inputs import InputPlan


@dataclass(eq=False)
class ONNXModel(LoadedModel):
    """A session, and how its inputs are made."""

    plans: tuple[InputPlan, ...] = ()
    output_names: tuple[str, ...] = ()
    run: Any = None

    def feed(self, model_input: Any) -> dict[str, Any]:
        """The session's inputs by name. Raises `ValueError`."""
        plans = self.plans
        if isinstance(model_input, dict):
            feed = {}
            for plan in plans:
                value = model_input.get(plan.name)
                if value is None:
                    raise ValueError(f'missing key "{plan.name}"; expected keys: {self._names()}')
                feed[plan.name] = plan.convert(value)
            return feed
        if len(plans) == 1:
            plan = plans[0]
            return {plan.name: plan.convert(model_input)}
        given = type(model_input).__name__
        raise ValueError(f"expected model_input to be a dictionary with keys {self._names()}, given a {given}")

    def _names(self) -> str:
        return ", ".join(f'"{plan.name}"' for plan in self.plans)


class ONNXLoader:
    """Makes a session of the one `.onnx` file in a version's folder."""

    def prepare(self) -> None:
        try:
            import onnxruntime  # noqa: F401
        except ImportError as error:
            raise ModelLoadFailed(
                f"onnxruntime cannot be imported ({error}): add onnxruntime to requirements.txt"
            ) from None

    def load(self, name: str, version: str, path: str, signature_key: str | None) -> LoadedModel:
        import onnxruntime

        from cortex_worker.models.onnx_inputs import InputPlan

        files = sorted(each for each in os.listdir(path) if each.endswith(".onnx"))
        if len(files) != 1:
            raise ValueError(f"expected one .onnx file, found {len(files)}")
        options = onnxruntime.SessionOptions()
        # There may be one number for each level of nesting.
        threads = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
        if threads.isdecimal():
            # What the builds with OpenMP did by themselves.
            options.intra_op_num_threads = int(threads)
        providers = onnxruntime.get_available_providers()
        session = onnxruntime.InferenceSession(os.path.join(path, files[0]), options, providers=providers)
        inputs, outputs = session.get_inputs(), session.get_outputs()
        plans = tuple(InputPlan(node) for node in inputs)
        signature = _signature(inputs)
        return ONNXModel(
            model={"session": session, "signatures": inputs, "input_signatures": signature},
            inputs=signature,
            outputs=_signature(outputs),
            plans=plans,
            output_names=tuple(node.name for node in outputs),
            run=session.run,
        )


class ONNXClient(ModelClient):
    """What a predictor gets as `onnx_client`."""

    def predict(
        self, model_input: Any, model_name: str | None = None, model_version: str | int | None = "latest"
    ) -> list[Any]:
        """All outputs of the model, in the order in which it has them.

        `model_input` is a dictionary by the names of the inputs, or for a model of one input its value: an array, or
        nested lists, or a flat list where the shape leaves no doubt.
        """
        entry: Entry | None = None
        try:
            entry = self._get(model_name, model_version)
            model: Any = entry.loaded
            outputs: list[Any] = model.run(model.output_names, model.feed(model_input))
        except ModelError:
            raise
        except Exception as error:
            raise _inference_failed(entry, model_version, error) from error
        return outputs

    def get_model(self, model_name: str | None = None, model_version: str | int | None = "latest") -> dict[str, Any]:
        """The `session`, the `signatures` of its inputs, and their types and shapes as `input_signatures`."""
        model: dict[str, Any] = self._get(model_name, model_version).loaded.model
        return model


def _inference_failed(entry: Entry | None, asked: Any, error: Exception) -> InferenceFailed:
    assert entry is not None
    model = "the model" if entry.name == SINGLE_MODEL else f"model {entry.name}"
    asked = "latest" if asked is None else asked
    of_version = f"version {entry.version}" + (" (latest)" if asked == "latest" else "")
    return InferenceFailed(f"failed inference with {model} of {of_version}: {error}")


def _signature(nodes: list[Any]) -> dict[str, dict[str, Any]]:
    from cortex_worker.models.onnx_inputs import type_name

    return {node.name: {"shape": list(node.shape or ()), "type": type_name(node.type)} for node in nodes}
