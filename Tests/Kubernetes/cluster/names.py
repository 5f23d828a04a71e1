"""Cluster DNS: the names of Services, watched at the API server and written for dnsmasq."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from cluster.certificates import Certificates
from cluster.daemon import Daemon
from cluster.node import DNS_DOMAIN
from cluster.sandbox import NODE_ADDRESS, Sandbox
from cluster.watch import Resource, Server, Watch, watcher


def name_server(sandbox: Sandbox) -> Daemon:
    """dnsmasq on the node's address, where pods look first and last."""
    return Daemon(
        sandbox,
        "dnsmasq",
        [
            *("dnsmasq", "--keep-in-foreground", "--log-facility=-", "--user=root", "--conf-file=/dev/null"),
            *("--no-resolv", "--no-hosts", f"--addn-hosts={sandbox.state}/names", "--no-negcache"),
            *(f"--listen-address={NODE_ADDRESS}", "--bind-interfaces"),
            # What is not in the file is nowhere: said at once, instead of a wait for others that do not answer.
            "--local=/#/",
        ],
    )


def name_writer(sandbox: Sandbox, certificates: Certificates) -> Daemon:
    """The watcher, which is this module."""
    return watcher("names", __name__, sandbox, certificates)


def hosts(services: list[Resource], endpoints: list[Resource]) -> str:
    """The lines of a hosts file: a Service's own address, or those of its ready pods where it has none (headless)."""
    lines = []
    headless = set()
    for service in services:
        metadata, address = service["metadata"], service["spec"].get("clusterIP")
        name = f"{metadata['name']}.{metadata['namespace']}.svc.{DNS_DOMAIN}"
        if address == "None":
            headless.add(name)
        elif address:
            lines.append(f"{address} {name}")
    for ends in endpoints:
        metadata = ends["metadata"]
        name = f"{metadata['name']}.{metadata['namespace']}.svc.{DNS_DOMAIN}"
        if name in headless:
            for ready in (each for subset in ends.get("subsets") or [] for each in subset.get("addresses") or []):
                own = f" {ready['hostname']}.{name}" if ready.get("hostname") else ""
                lines.append(f"{ready['ip']} {name}{own}")
    return "".join(f"{line}\n" for line in sorted(set(lines)))


def main() -> None:
    """Writes the file whenever a Service changes, and has dnsmasq read it."""
    state, server = Path(sys.argv[1]), Server(Certificates(Path(sys.argv[2])))
    changed = threading.Event()
    services, endpoints = (Watch(server, f"/api/v1/{kind}", changed) for kind in ("services", "endpoints"))
    while True:
        changed.wait()
        # Before the objects are read: a change that comes meanwhile is seen the next time.
        changed.clear()
        text = hosts(services.objects(), endpoints.objects())
        if services.is_complete and endpoints.is_complete and text != (state / "names").read_text():
            (state / "names.new").write_text(text)
            (state / "names.new").rename(state / "names")
            os.kill(int((state / "run" / "dnsmasq.pid").read_text()), signal.SIGHUP)


if __name__ == "__main__":
    main()
