"""Keys and certificates of the control plane, made with openssl."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cluster.commands import run
from cluster.sandbox import NODE, NODE_ADDRESS

SERVER = f"https://{NODE_ADDRESS}:6443"

_DAYS = "3650"
_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_ADDRESSES = ("127.0.0.1", "10.96.0.1", NODE_ADDRESS)


@dataclass(frozen=True)
class Certificates:
    """A folder of keys, certificates, and the kubeconfigs that carry them."""

    folder: Path

    def file(self, name: str) -> Path:
        """One of the files: `ca.crt`, `server.key`, `admin.kubeconfig`, …"""
        return self.folder / name

    def make(self) -> None:
        """Makes all of them, for a cluster that starts from nothing."""
        self.folder.mkdir(mode=0o700)
        # Without the machine's openssl.cnf, whose defaults would be added to ours.
        self.file("openssl.cnf").write_text("[req]\ndistinguished_name=name\n[name]\n")
        self._certificate("ca", "/CN=cortex-test-ca", ["basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign"])
        names = [*(f"DNS:{name}" for name in _NAMES), *(f"IP:{address}" for address in _ADDRESSES)]
        self._certificate(
            "server", "/CN=kube-apiserver", [f"subjectAltName={','.join(names)}", "extendedKeyUsage=serverAuth"]
        )
        clients = {
            "admin": "/O=system:masters/CN=admin",
            "apiserver-kubelet": "/O=system:masters/CN=apiserver-kubelet",
            "front-proxy": "/CN=front-proxy",
            "controller-manager": "/CN=system:kube-controller-manager",
            "scheduler": "/CN=system:kube-scheduler",
            "proxy": "/CN=system:kube-proxy",
            NODE: f"/O=system:nodes/CN=system:node:{NODE}",
        }
        for name, subject in clients.items():
            self._certificate(name, subject, ["extendedKeyUsage=clientAuth"])
            self._kubeconfig(name)
        run(["openssl", "genrsa", "-out", self.file("accounts.key"), "2048"])
        run(["openssl", "rsa", "-in", self.file("accounts.key"), "-pubout", "-out", self.file("accounts.pub")])

    def _certificate(self, name: str, subject: str, extensions: list[str]) -> None:
        """A certificate and its key, signed by the authority; the authority signs itself."""
        authority: list[str | Path] = ["-CA", self.file("ca.crt"), "-CAkey", self.file("ca.key")]
        run(
            [
                *("openssl", "req", "-x509", "-config", self.file("openssl.cnf"), "-days", _DAYS, "-subj", subject),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", self.file(f"{name}.key"), "-out", self.file(f"{name}.crt")),
                *([] if name == "ca" else authority),
                *(word for extension in extensions for word in ("-addext", extension)),
            ]
        )

    def _kubeconfig(self, name: str) -> None:
        """What a client needs, in one file that refers to the others."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "test", "cluster": {"server": SERVER, "certificate-authority": str(self.file("ca.crt"))}}
            ],
            "users": [
                {
                    "name": name,
                    "user": {
                        "client-certificate": str(self.file(f"{name}.crt")),
                        "client-key": str(self.file(f"{name}.key")),
                    },
                }
            ],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "current-context": "test",
        }
        # JSON is YAML, and every client reads it.
        self.file(f"{name}.kubeconfig").write_text(json.dumps(config, indent=1))
