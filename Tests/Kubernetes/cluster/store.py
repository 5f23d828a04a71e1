"""An API server on which nobody acts: no controllers, no scheduler, no node. What is made there only stands there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from blackbox.conditions import eventually
from cluster.cluster import Cluster
from cluster.control_plane import API_PORT, api_server
from cluster.sandbox import NODE_ADDRESS

_SHIFT = 100
_PREFIX = "store-"
_WRITERS = 8

Manifest = dict[str, Any]


class Store:
    """The API server, as its administrator; may be used by several threads."""

    def __init__(self, cluster: Cluster) -> None:
        self.url = f"https://{NODE_ADDRESS}:{API_PORT + _SHIFT}"
        self.authority = cluster.certificates.file("ca.crt")
        file = cluster.certificates.file
        self._identity = (str(file("admin.crt")), str(file("admin.key")))

    def ask(self, method: str, path: str, body: Manifest | None = None, **options: Any) -> Any:
        """One request, which must succeed; what is told."""
        with requests.Session() as session:
            return self._ask(session, method, path, body, **options)

    def ask_all(self, requests_made: Iterable[tuple[str, str, Manifest]], **options: Any) -> None:
        """Many requests, several at once; all must succeed."""
        with requests.Session() as session, ThreadPoolExecutor(_WRITERS) as pool:
            adapter = requests.adapters.HTTPAdapter(pool_maxsize=_WRITERS)
            session.mount("https://", adapter)
            for _ in pool.map(lambda each: self._ask(session, *each, **options), requests_made):
                pass

    def all(self, path: str) -> list[Manifest]:
        """All objects of a kind."""
        found: list[Manifest] = self.ask("GET", path)["items"]
        return found

    def _ask(
        self, session: requests.Session, method: str, path: str, body: Manifest | None, media: str = "application/json"
    ) -> Any:
        given = None if body is None else json.dumps(body)
        answer = session.request(
            method,
            self.url + path,
            data=given,
            headers={"Content-Type": media},
            cert=self._identity,
            verify=str(self.authority),
            timeout=120,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()


@contextmanager
def running_store(cluster: Cluster) -> Iterator[Store]:
    """A fresh one, in the cluster's network."""
    data = Path(f"{cluster.sandbox.state}/{_PREFIX}etcd")
    daemons = api_server(cluster.sandbox, cluster.programs, cluster.certificates, prefix=_PREFIX, shift=_SHIFT)
    shutil.rmtree(data, ignore_errors=True)
    try:
        for daemon in daemons:
            daemon.start()
        store = Store(cluster)

        def is_ready() -> bool:
            for daemon in daemons:
                daemon.require()
            try:
                answer = requests.get(f"{store.url}/readyz", verify=str(store.authority), timeout=5)
            except requests.RequestException:
                return False
            return answer.ok

        eventually(is_ready, "the API server is ready", within=120)
        yield store
    finally:
        for daemon in reversed(daemons):
            daemon.kill()
        shutil.rmtree(data, ignore_errors=True)
