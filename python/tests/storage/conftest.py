from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from storage.peer import Agent
from storage.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class S3:
    """moto's S3 server, and a client for what a test puts there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = self.connect("test", "test")
        self.variables = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }

    def connect(self, key: str, secret: str, service: str = "s3") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}),
        )

    def fill(self, bucket: str, objects: dict[str, bytes]) -> None:
        """Make a bucket with these objects."""
        with contextlib.suppress(self.client.exceptions.BucketAlreadyOwnedByYou):
            self.client.create_bucket(Bucket=bucket)
        for key, body in objects.items():
            self.client.put_object(Bucket=bucket, Key=key, Body=body)


@contextlib.contextmanager
def running_s3() -> Iterator[S3]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < end
                threading.Event().wait(0.05)
        yield S3(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A server without rules of who may do what."""
    with running_s3() as server:
        yield server


@pytest.fixture
def strict_s3() -> Iterator[S3]:
    """A server that can be told to check who asks."""
    with running_s3() as server:
        yield server


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Starts agents, which end with the test."""
    agents: list[Agent] = []

    def start(**environment: str) -> Agent:
        home = tmp_path / f"agent-{len(agents)}"
        home.mkdir(exist_ok=True)
        agents.append(Agent(home, **environment))
        return agents[-1]

    yield start
    for agent in agents:
        assert agent.close() == 0
