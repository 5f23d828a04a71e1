"""A loaded TensorFlow model, wherever it runs: values in, flat lists out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from cortex_worker.errors import InferenceFailed
from cortex_worker.models.loading import LoadedModel
from cortex_worker.models.tensorflow_errors import InvalidModelInput
from cortex_worker.models.tensorflow_inputs import InputPlan, arrays_of, mismatch
from cortex_worker.models.tensorflow_signature import described

if TYPE_CHECKING:
    from cortex_worker.models.tensorflow_signature import Signature

#: From arrays by input to flat lists by output. Raises `InferenceFailed`, or a `ModelError`.
Run = Callable[["dict[str, Any]"], "dict[str, list[Any]]"]


class TensorFlowModel(LoadedModel):
    """One version of a model, with its signature."""

    def __init__(
        self,
        title: str,
        signature: Signature,
        run: Run,
        closed: Callable[[], None] | None = None,
        graph: Any = None,
    ) -> None:
        super().__init__(run, described(signature.inputs), described(signature.outputs), signature.key)
        self.signature = signature
        self._title = title
        self._plans = [InputPlan(name, spec, title) for name, spec in signature.inputs.items()]
        self._closed = closed
        self._graph = graph

    @property
    def watched(self) -> Any:
        """The loaded graph: its objects refer to each other."""
        return self._graph

    def predict(self, model_input: Any) -> dict[str, list[Any]]:
        """The outputs for the values by input. Raises `InvalidModelInput` or `InferenceFailed`."""
        arrays = arrays_of(self._plans, model_input, self._title)
        try:
            result: dict[str, list[Any]] = self.model(arrays)
            return result
        except InferenceFailed as failure:
            unfit = mismatch(self.signature, arrays, self._title)
            if unfit is not None:
                raise InvalidModelInput(f"{unfit} ({failure})") from failure.__cause__
            raise InferenceFailed(f"failed inference with {self._title}: {failure}") from failure.__cause__

    def close(self) -> None:
        self.model = self._graph = None
        if self._closed is not None:
            self._closed()
