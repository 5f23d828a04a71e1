"""An API server, as far as a gateway asks one, and an operator that hears what gateways report."""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from blackbox.pods import TOKEN

NAMESPACE = "models"


class FakeCluster(ThreadingHTTPServer):
    """Objects that are listed and watched: a context manager, which may be stopped and started at the same port."""

    daemon_threads = True

    def __init__(self, slices: str | None = "v1") -> None:
        self.slices = slices
        """The version of `discovery.k8s.io` that it has; nil for none, as in old clusters."""
        self.objects: dict[str, dict[str, dict[str, Any]]] = {}
        self.version = 1
        self.watchers: list[tuple[str, queue.Queue[dict[str, Any] | None]]] = []
        self.lock = threading.Lock()
        self.forbids: set[str] = set()
        """Kinds that are answered 403."""
        super().__init__(("127.0.0.1", 0), _ClusterHandler)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def settings(self) -> dict[str, str]:
        """What a process is told of it."""
        return {"CORTEX_KUBERNETES_URL": self.url, "CORTEX_NAMESPACE": NAMESPACE}

    def __enter__(self) -> FakeCluster:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.drop()
        self.server_close()

    def drop(self) -> None:
        """Ends all watches."""
        with self.lock:
            for _, events in self.watchers:
                events.put(None)
            self.watchers = []

    def set(self, kind: str, name: str, content: dict[str, Any], labels: dict[str, str] | None = None) -> None:
        """Puts an object there, in place of the one of its name."""
        with self.lock:
            self.version += 1
            known = name in self.objects.setdefault(kind, {})
            metadata = {"name": name, "namespace": NAMESPACE, "labels": labels or {}, "uid": name}
            metadata["resourceVersion"] = str(self.version)
            self.objects[kind][name] = {"metadata": metadata, **content}
            self._tell(kind, "MODIFIED" if known else "ADDED", self.objects[kind][name])

    def remove(self, kind: str, name: str) -> None:
        """Takes an object away."""
        with self.lock:
            self.version += 1
            self._tell(kind, "DELETED", self.objects[kind].pop(name))

    def _tell(self, kind: str, type: str, content: dict[str, Any]) -> None:
        for watched, events in self.watchers:
            if watched == kind:
                events.put({"type": type, "object": content})

    # What Cortex has there.

    def api(self, name: str, asleep: bool = False, version: int = 1, limit: int = 1024, **networking: Any) -> None:
        """An API whose route the operator has decided on."""
        route = {
            "version": version,
            "networking": {"endpoint": f"/{name}", **networking},
            "maxReplicaConcurrency": limit,
            "isAsleep": asleep,
        }
        self.set("realtimeapis", name, {"spec": {"config": {"name": name}}, "status": {"route": route}})

    def replicas(self, name: str, *addresses: str, unready: tuple[str, ...] = (), part: int = 0) -> None:
        """Where the replicas of an API are."""
        labels = {"cortex.dev/role": "replicas", "cortex.dev/api": name}
        hosts: list[tuple[str, int, bool]] = [(*_split(address), True) for address in addresses] + [
            (*_split(address), False) for address in unready
        ]
        if self.slices is None:
            content: dict[str, Any] = {
                "subsets": [
                    {
                        "addresses" if ready else "notReadyAddresses": [{"ip": host}],
                        "ports": [{"name": "http", "port": port}],
                    }
                    for host, port, ready in hosts
                ]
            }
            self.set("endpoints", f"api-{name}-replicas", content, labels)
            return
        # A slice has one port for all: here each replica has its own.
        for number, (host, port, ready) in enumerate(hosts):
            content = {
                "addressType": "IPv4",
                "endpoints": [{"addresses": [host], "conditions": {"ready": ready}}],
                "ports": [{"name": "http", "port": port}],
            }
            self.set("endpointslices", f"api-{name}-replicas-{part}-{number}", content, labels)
        count = len(hosts)
        while f"api-{name}-replicas-{part}-{count}" in self.objects.get("endpointslices", {}):
            self.remove("endpointslices", f"api-{name}-replicas-{part}-{count}")
            count += 1


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port)


class _ClusterHandler(BaseHTTPRequestHandler):
    server: FakeCluster

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path == "/apis/discovery.k8s.io":
            version = self.server.slices
            return self._answer(200, {"versions": [{"version": version}]}) if version else self._answer(404, {})
        kind = url.path.rpartition("/")[2]
        if f"/namespaces/{NAMESPACE}/" not in url.path or kind in self.server.forbids:
            return self._answer(403, {"kind": "Status", "code": 403, "message": f"{kind} is forbidden"})
        wanted = dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair)
        if query.get("watch") != "true":
            with self.server.lock:
                found = [each for each in self.server.objects.get(kind, {}).values() if self._fits(each, wanted)]
                return self._answer(200, {"metadata": {"resourceVersion": str(self.server.version)}, "items": found})
        return self._watch(kind, wanted, int(query["resourceVersion"]))

    def _fits(self, content: dict[str, Any], wanted: dict[str, str]) -> bool:
        labels: dict[str, str] = content["metadata"]["labels"]
        return wanted.items() <= labels.items()

    def _watch(self, kind: str, wanted: dict[str, str], version: int) -> None:
        events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        with self.server.lock:
            for content in self.server.objects.get(kind, {}).values():
                if int(content["metadata"]["resourceVersion"]) > version:
                    events.put({"type": "MODIFIED", "object": content})
            self.server.watchers.append((kind, events))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.flush()
        while (event := events.get()) is not None:
            if self._fits(event["object"], wanted):
                try:
                    self.wfile.write(json.dumps(event).encode() + b"\n")
                    self.wfile.flush()
                except OSError:
                    return

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


class FakeOperator(ThreadingHTTPServer):
    """Hears reports: a context manager."""

    daemon_threads = True

    def __init__(self) -> None:
        self.reports: queue.Queue[dict[str, Any]] = queue.Queue()
        super().__init__(("127.0.0.1", 0), _OperatorHandler)

    @property
    def settings(self) -> dict[str, str]:
        """What a process is told of it."""
        url = f"http://127.0.0.1:{self.server_address[1]}"
        return {"CORTEX_OPERATOR_URL": url, "CORTEX_INTERNAL_TOKEN": TOKEN, "CORTEX_POD": "gateway-1"}

    def __enter__(self) -> FakeOperator:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def await_report(self, api: str, within: float = 60, **wanted: int) -> dict[str, Any]:
        """The next report that says so of an API."""
        while True:
            report = self.reports.get(timeout=within)
            load: dict[str, Any] = report["apis"].get(api, {})
            if wanted.items() <= load.items():
                return report


class _OperatorHandler(BaseHTTPRequestHandler):
    server: FakeOperator

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_known = self.headers["Authorization"] == f"Bearer {TOKEN}"
        if is_known and self.path == "/v1/gateway/reports":
            self.server.reports.put(json.loads(body))
        self.send_response(204 if is_known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""
