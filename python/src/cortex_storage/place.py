"""A folder of a store, as a URL names it, ready to be listed and read."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from obstore.exceptions import BaseError, UnknownConfigurationKeyError
from obstore.store import AzureStore, GCSStore, HTTPStore, S3Store

from cortex_storage import credentials, s3
from cortex_storage.faults import StorageFault
from cortex_storage.pages import bucket_region

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from cortex_storage.credentials import Credentials
    from cortex_storage.objects import StoredObject

CONNECT_TIMEOUT = 5
QUIET_TIMEOUT = 20
"""Seconds without a byte after which an answer is given up."""

_CLIENT: Any = {"connect_timeout": f"{CONNECT_TIMEOUT}s", "user_agent": "cortex"}
# Of a whole answer, which may be as large as it is: what counts is that it goes on.
_PATIENT: Any = {"timeout": "24h", "read_timeout": f"{QUIET_TIMEOUT}s"}
# For releases of obstore that only know the former: what is cut off by it goes on in the next try.
_IMPATIENT: Any = {"timeout": f"{5 * QUIET_TIMEOUT}s"}
# Not again after a silence: whoever reads decides about that.
_RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=QUIET_TIMEOUT / 2)}
_AZURE_SCHEMES = ("az", "azure", "adl", "abfs", "abfss")
_AZURE_HOSTS = (".blob.core.windows.net", ".dfs.core.windows.net", ".blob.fabric.microsoft.com")


@dataclass
class Place:
    """A root. All paths are relative to it."""

    store: Any
    origin: str
    """What stands before a key in messages: `s3://bucket/`."""
    prefix: str
    """The key of the root: empty, or ends in `/`."""
    container: str
    """What the objects are in, in words."""
    server: str
    """Who answers, in words."""
    denial: str = "check that it may be read without signing in"
    web: str | None = None
    """The URL of the root where it is a web server's folder, which has pages in place of listings."""
    ranges: bool | None = True
    """Whether parts of an object can be asked for; None: not known yet."""
    keys: Callable[[], AsyncIterator[list[StoredObject]]] | None = None
    """Lists the objects below the root another way, whatever their keys are; None where there is none."""

    def shown(self, path: str) -> str:
        """An object, or with an empty path the root, as messages name it."""
        return f"{self.origin}{self.prefix}{path}"


async def place(url: str, environment: Mapping[str, str]) -> Place:
    """The place that a URL names, with the credentials that the environment has.

    Raises:
        StorageFault: where it cannot be one, or its credentials cannot be used.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    try:
        if parts.scheme in ("s3", "s3a"):
            return await _s3(url, environment)
        if parts.scheme == "gs":
            return _gs(url, environment)
        if parts.scheme in _AZURE_SCHEMES or (parts.scheme == "https" and host.endswith(_AZURE_HOSTS)):
            return _az(url, environment)
        if parts.scheme in ("http", "https") and host:
            return _web(url)
    except StorageFault:
        raise
    except Exception as error:
        # Building a store sends nothing: what fails here is how it is set up, a file of credentials for one.
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise StorageFault("denied", f"{url}: the settings of this store cannot be used: {reason}") from error
    raise StorageFault("unsupported", f"{url} is no place for models; allowed: s3://, gs://, az://, http://, https://")


def _split(url: str) -> tuple[str, str, str]:
    """Scheme, bucket and prefix. Keys are taken as they stand: nothing in them is decoded."""
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    key = key.strip("/")
    return scheme, bucket, f"{key}/" if key else ""


async def _s3(url: str, environment: Mapping[str, str]) -> Place:
    scheme, bucket, prefix = _split(url)
    # In a thread: a profile may ask a server, or run a program.
    found = await asyncio.to_thread(credentials.for_s3, environment)
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or found.endpoint
    endpoint = endpoint or environment.get("AWS_ENDPOINT")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or found.region
    if region is None and endpoint is None:
        region = await asyncio.to_thread(bucket_region, f"https://{bucket}.s3.amazonaws.com/")
    own: dict[str, Any] = {"region": region or "us-east-1"}
    if endpoint:
        own["endpoint"] = endpoint
    skipped = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION"}
    store = _built(S3Store, bucket, prefix, environment, "AWS_", found, own, skipped)
    return Place(
        store,
        f"{scheme}://{bucket}/",
        prefix,
        f"bucket {bucket}",
        endpoint or "Amazon S3",
        found.denial,
        keys=s3.Bucket(bucket, prefix, environment, found, own["region"], endpoint).pages,
    )


def _gs(url: str, environment: Mapping[str, str]) -> Place:
    _, bucket, prefix = _split(url)
    found = credentials.for_gs(environment)
    store = _built(GCSStore, bucket, prefix, environment, "GOOGLE_", found, {}, set())
    server = environment.get("GOOGLE_BASE_URL") or "Google Cloud Storage"
    return Place(store, f"gs://{bucket}/", prefix, f"bucket {bucket}", server, found.denial)


def _az(url: str, environment: Mapping[str, str]) -> Place:
    scheme, container, prefix = _split(url)
    found = credentials.for_az(environment)
    own: dict[str, Any] = {}
    if scheme == "https":
        own["account_name"] = container.split(".")[0]
        container, _, prefix = prefix.partition("/")
    elif "@" in container:
        container, _, host = container.partition("@")
        own["account_name"] = host.split(".")[0]
    settings = {name.lower() for name in environment}
    account = {"azure_storage_account_name", "azure_storage_use_emulator"} & settings
    if not account and not {"account_name"} & {*own, *found.options}:
        raise StorageFault("denied", f"{url}: no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME")
    store = _built(AzureStore, container, prefix, environment, "AZURE_", found, own, set())
    server = environment.get("AZURE_STORAGE_ENDPOINT") or environment.get("AZURE_ENDPOINT") or "Azure Blob Storage"
    return Place(store, f"az://{container}/", prefix, f"container {container}", server, found.denial)


def _built(
    kind: Any,
    bucket: str,
    prefix: str,
    environment: Mapping[str, str],
    variables: str,
    found: Credentials,
    own: dict[str, Any],
    skipped: set[str],
) -> Any:
    """A store with all variables of its kind that this release of obstore knows."""
    config: dict[str, Any] = {
        name.lower(): value
        for name, value in environment.items()
        if name.startswith(variables) and name not in skipped and "BUCKET" not in name and _knows(kind, name.lower())
    }
    # One setting has several names, of which obstore takes one at a time.
    for setting in (*found.options, *own):
        for name in [
            name for name in config if name.removeprefix(variables.lower()).removeprefix("storage_") == setting
        ]:
            del config[name]
    config.update(found.options)
    config.update(own)
    endpoints = [str(value) for name, value in config.items() if "endpoint" in name or "base_url" in name]
    client = _client()
    if any(endpoint.startswith("http://") for endpoint in endpoints) or "azure_storage_use_emulator" in config:
        client["allow_http"] = True
    rest = {"credential_provider": found.provider} if found.provider else {}
    return kind(
        bucket, prefix=prefix.rstrip("/") or None, config=config, client_options=client, retry_config=_RETRY, **rest
    )


def _client() -> Any:
    """How the stores of all kinds connect and wait."""
    return {**_CLIENT, **(_PATIENT if _knows_read_timeout() else _IMPATIENT)}


@functools.cache
def _knows_read_timeout() -> bool:
    try:
        HTTPStore("https://localhost", client_options={"read_timeout": "1s"})
    except (BaseError, ValueError):
        return False
    return True


@functools.cache
def _knows(kind: Any, name: str) -> bool:
    try:
        kind("probe", config={name: ""})
    except UnknownConfigurationKeyError:
        return False
    except Exception:
        # Known, and an empty value is not one for it.
        return True
    return True


def _web(url: str) -> Place:
    parts = urlsplit(url)
    # Spaces and the like, typed as they are, are meant; what is encoded already stays so.
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._").rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    client: Any = {**_client(), "allow_http": parts.scheme == "http"}
    store = HTTPStore(f"{parts.scheme}://{parts.netloc}{path}", client_options=client, retry_config=_RETRY)
    root = f"{path.lstrip('/')}/" if path else ""
    return Place(store, f"{origin}/", root, f"folder {origin}{path}/", origin, web=f"{origin}{path}/", ranges=None)
