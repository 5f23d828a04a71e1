"""etcd, the API server, the controllers and the scheduler."""

from __future__ import annotations

from pathlib import Path

from cluster.certificates import Certificates
from cluster.daemon import Daemon
from cluster.sandbox import NODE_ADDRESS, Sandbox

API_PORT = 6443
SERVICE_ADDRESSES = "10.96.0.0/16"


def api_server(
    sandbox: Sandbox, programs: Path, certificates: Certificates, *, prefix: str = "", shift: int = 0
) -> list[Daemon]:
    """An API server and its etcd, in the order in which they are started.

    A second pair in a sandbox has a prefix to its names and its data, and ports that are shifted.
    """
    file = certificates.file
    storage = f"http://127.0.0.1:{2379 + shift}"
    etcd: list[str | Path] = [
        *("etcd", f"--data-dir={sandbox.state}/{prefix}etcd", "--unsafe-no-fsync", "--log-level=warn"),
        *(f"--listen-client-urls={storage}", f"--advertise-client-urls={storage}"),
        f"--listen-peer-urls=http://127.0.0.1:{2380 + shift}",
    ]
    server: list[str | Path] = [
        programs / "kube-apiserver",
        *(f"--etcd-servers={storage}", "--bind-address=0.0.0.0", f"--secure-port={API_PORT + shift}"),
        f"--advertise-address={NODE_ADDRESS}",
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true"),
        *(f"--client-ca-file={file('ca.crt')}", f"--service-cluster-ip-range={SERVICE_ADDRESSES}"),
        *(f"--tls-cert-file={file('server.crt')}", f"--tls-private-key-file={file('server.key')}"),
        f"--kubelet-client-certificate={file('apiserver-kubelet.crt')}",
        f"--kubelet-client-key={file('apiserver-kubelet.key')}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={file('accounts.key')}",
        f"--service-account-key-file={file('accounts.pub')}",
        *(f"--requestheader-client-ca-file={file('ca.crt')}", "--requestheader-allowed-names=front-proxy"),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        *("--requestheader-group-headers=X-Remote-Group", "--requestheader-username-headers=X-Remote-User"),
        f"--proxy-client-cert-file={file('front-proxy.crt')}",
        f"--proxy-client-key-file={file('front-proxy.key')}",
    ]
    return [
        Daemon(sandbox, f"{prefix}etcd", etcd),
        Daemon(sandbox, f"{prefix}kube-apiserver", server),
    ]


def control_plane(sandbox: Sandbox, programs: Path, certificates: Certificates) -> list[Daemon]:
    """The daemons, in the order in which they are started."""
    file = certificates.file

    def client(name: str) -> list[str]:
        config = file(f"{name}.kubeconfig")
        return [
            f"--{kind}={config}" for kind in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
        ]

    controllers: list[str | Path] = [
        programs / "kube-controller-manager",
        *("--leader-elect=false", *client("controller-manager")),
        *("--use-service-account-credentials", f"--root-ca-file={file('ca.crt')}"),
        f"--service-account-private-key-file={file('accounts.key')}",
        # Namespaces of ended tests must not hold up what the next one waits for.
        *("--kube-api-qps=200", "--kube-api-burst=400", "--concurrent-namespace-syncs=4"),
    ]
    scheduler: list[str | Path] = [programs / "kube-scheduler", "--leader-elect=false", *client("scheduler")]
    return [
        *api_server(sandbox, programs, certificates),
        Daemon(sandbox, "kube-controller-manager", controllers),
        Daemon(sandbox, "kube-scheduler", scheduler),
    ]
