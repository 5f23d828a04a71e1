"""The one node: containerd, kubelet, kube-proxy, and the network of its pods."""

from __future__ import annotations

import json
from pathlib import Path

from cluster.certificates import Certificates
from cluster.daemon import Daemon
from cluster.sandbox import NODE, NODE_ADDRESS, Sandbox

CONTAINERD = "/run/containerd/containerd.sock"
"""In the node's own /run."""

PAUSE_IMAGE = "localhost/busybox:1"
"""What holds a pod's namespaces: tini and busybox, which tests use too."""

DNS_DOMAIN = "cluster.local"

_POD_ADDRESSES = "10.244.0.0/16"


def write_configuration(state: Path, certificates: Certificates, cgroup: str) -> None:
    """Writes what the daemons of the node read."""
    (state / "cni").mkdir()
    (state / "cni" / "10-pods.conflist").write_text(json.dumps(_pod_network(state), indent=1))
    (state / "containerd.toml").write_text(_containerd(state))
    # JSON is YAML.
    (state / "kubelet.json").write_text(json.dumps(_kubelet(certificates, cgroup, state), indent=1))


def node(sandbox: Sandbox, programs: Path, certificates: Certificates) -> list[Daemon]:
    """The daemons, in the order in which they are started."""
    state = sandbox.state
    return [
        Daemon(sandbox, "containerd", ["containerd", "--config", state / "containerd.toml"]),
        Daemon(
            sandbox,
            "kubelet",
            [
                *(programs / "kubelet", "--config", state / "kubelet.json", f"--hostname-override={NODE}"),
                *(f"--kubeconfig={certificates.file(f'{NODE}.kubeconfig')}", f"--node-ip={NODE_ADDRESS}"),
                *("--container-runtime=remote", f"--container-runtime-endpoint=unix://{CONTAINERD}"),
                *(f"--root-dir={state}/kubelet", f"--cert-dir={state}/kubelet-certificates"),
            ],
        ),
        Daemon(
            sandbox,
            "kube-proxy",
            [
                *(programs / "kube-proxy", f"--kubeconfig={certificates.file('proxy.kubeconfig')}"),
                *("--proxy-mode=iptables", f"--cluster-cidr={_POD_ADDRESSES}", f"--hostname-override={NODE}"),
                # These are settings of the whole machine.
                *("--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0"),
                *("--conntrack-tcp-timeout-close-wait=0",),
            ],
        ),
    ]


def _pod_network(state: Path) -> dict[str, object]:
    """A bridge of the pods, with the node on it."""
    addresses = {
        "type": "host-local",
        "dataDir": str(state / "addresses"),
        "ranges": [[{"subnet": "10.244.0.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "pods0", "isGateway": True, "hairpinMode": True, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]}


def _containerd(state: Path) -> str:
    return f"""version = 2
root = "{state}/containerd"
state = "/run/containerd"

[grpc]
  address = "{CONTAINERD}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Root in a container or a virtual machine often lacks the right to lower it.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{state}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def _kubelet(certificates: Certificates, cgroup: str, state: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(certificates.file("ca.crt"))},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": DNS_DOMAIN,
        # The machine's own may name what no pod can reach.
        "resolvConf": "",
        "failSwapOn": False,
        # The disk is the machine's, and how full it is says nothing about the cluster.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "kubeAPIQPS": 50,
        "kubeAPIBurst": 100,
        "volumePluginDir": str(state / "kubelet-plugins"),
    }
