"""The no-op for PyTriton: one tensor of one number, in Triton's JSON. Serves on the port that is its argument."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


@batch
def answer(n: Any) -> dict[str, Any]:
    """The work, for all requests that Triton has gathered."""
    return {"n": n + 1}


if __name__ == "__main__":
    port = int(sys.argv[1])
    config = TritonConfig(http_address="127.0.0.1", http_port=port, allow_grpc=False, allow_metrics=False)
    number = Tensor(name="n", dtype=np.int64, shape=(1,))
    with Triton(config=config) as triton:
        # Batching is its default and worth three times the requests: here all of a moment share one call.
        triton.bind("noop", answer, inputs=[number], outputs=[number], config=ModelConfig(max_batch_size=32))
        triton.serve()
