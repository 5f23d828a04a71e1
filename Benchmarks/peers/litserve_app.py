"""The no-op for LitServe. Serves on the port that is its argument."""

from __future__ import annotations

import sys

import litserve


class Noop(litserve.LitAPI):
    """Four methods, as its documents have them."""

    def setup(self, device: str) -> None:
        """Nothing to load."""

    def decode_request(self, request) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """What `predict` gets.

        An annotation would be taken for a model of the body.
        """
        return int(request["n"])

    def predict(self, x: int) -> int:
        """The work."""
        return x + 1

    def encode_response(self, output: int) -> dict[str, int]:
        """What the client gets."""
        return {"n": output}


if __name__ == "__main__":
    # `fast_queue`, which its documents advise for small requests, made it a quarter faster.
    server = litserve.LitServer(Noop(), accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
