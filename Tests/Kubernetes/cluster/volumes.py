"""Persistent volumes: a folder of the node for each claim, made when it is asked for."""

from __future__ import annotations

import http.client
import shutil
import sys
import threading
import time
from pathlib import Path

from cluster.certificates import Certificates
from cluster.daemon import Daemon
from cluster.sandbox import Sandbox
from cluster.watch import Resource, Server, Watch, watcher

STORAGE_CLASS: Resource = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "folder", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "cortex.test/folder",
}
"""What a claim gets that names none."""

_VOLUMES = "/api/v1/persistentvolumes"


def volume_maker(sandbox: Sandbox, certificates: Certificates) -> Daemon:
    """The watcher, which is this module."""
    return watcher("volumes", __name__, sandbox, certificates)


def volume(claim: Resource, folder: Path) -> Resource:
    """The volume of a claim."""
    metadata, wanted = claim["metadata"], claim["spec"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"folder-{metadata['uid']}"},
        "spec": {
            "storageClassName": wanted["storageClassName"],
            "accessModes": wanted["accessModes"],
            "capacity": {"storage": wanted["resources"]["requests"]["storage"]},
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {key: metadata[key] for key in ("name", "namespace", "uid")},
            "hostPath": {"path": str(folder)},
        },
    }


def main() -> None:
    """Makes volumes for claims that wait, and removes those of claims that are gone."""
    folders, server = Path(sys.argv[1]) / "volumes", Server(Certificates(Path(sys.argv[2])))
    server.ask("POST", "/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)
    changed = threading.Event()
    watch = Watch(server, "/api/v1/persistentvolumeclaims", changed)
    made: set[str] = set()
    while True:
        changed.wait()
        changed.clear()
        if not watch.is_complete:
            continue
        ours = [
            each
            for each in watch.objects()
            if each["spec"].get("storageClassName") == STORAGE_CLASS["metadata"]["name"]
        ]
        try:
            for claim in ours:
                uid = claim["metadata"]["uid"]
                if uid not in made and not claim["spec"].get("volumeName"):
                    (folders / uid).mkdir(parents=True, exist_ok=True)
                    # Whoever the pod runs as.
                    (folders / uid).chmod(0o777)
                    server.ask("POST", _VOLUMES, volume(claim, folders / uid))
                    made.add(uid)
            for uid in made - {each["metadata"]["uid"] for each in ours}:
                server.ask("DELETE", f"{_VOLUMES}/folder-{uid}")
                shutil.rmtree(folders / uid, ignore_errors=True)
                made.remove(uid)
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(repr(error), file=sys.stderr, flush=True)
            time.sleep(0.5)
            changed.set()


if __name__ == "__main__":
    main()
