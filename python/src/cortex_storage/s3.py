"""S3's listing as botocore reads it: with every key that there is, those included that obstore refuses to list."""

from __future__ import annotations

import asyncio
import functools
import os
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cortex_storage.environment import METADATA, is_true
from cortex_storage.objects import StoredObject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from cortex_storage.credentials import Credentials

_CONNECT_TIMEOUT = 5
_QUIET_TIMEOUT = 20

ERRORS = (BotoCoreError, ClientError)


class Bucket:
    """A prefix of a bucket."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        environment: Mapping[str, str],
        found: Credentials,
        region: str,
        endpoint: str | None,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._connect = functools.partial(_client, environment, found, region, endpoint)
        self._client: Any = None

    async def pages(self) -> AsyncIterator[list[StoredObject]]:
        """The objects below the prefix, without markers of folders; paths are whatever the keys are.

        Raises:
            one of `ERRORS`.
        """
        if self._client is None:
            self._client = await asyncio.to_thread(self._connect)
        listed = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        rest = iter(listed)
        while True:
            page = await asyncio.to_thread(next, rest, None)
            if page is None:
                return
            yield [
                StoredObject(
                    entry["Key"][len(self._prefix) :],
                    entry["Size"],
                    int(entry["LastModified"].timestamp() * 1000),
                    entry.get("ETag"),
                )
                for entry in page.get("Contents", ())
                if entry["Size"] or not entry["Key"].endswith("/")
            ]


def _client(environment: Mapping[str, str], found: Credentials, region: str, endpoint: str | None) -> Any:
    from botocore import UNSIGNED
    from botocore.config import Config

    settings: dict[str, Any] = {"signature_version": UNSIGNED} if found.options.get("skip_signature") else {}
    session = found.session or _session(environment)
    return session.create_client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=_CONNECT_TIMEOUT,
            read_timeout=_QUIET_TIMEOUT,
            retries={"max_attempts": 3},
            # As obstore asks, which stores of one's own often need.
            s3={"addressing_style": "path"},
            **settings,
        ),
    )


def _session(environment: Mapping[str, str]) -> Any:
    """Whom obstore asks as where it finds the credentials itself."""
    import botocore.session
    from botocore.credentials import ContainerProvider, CredentialResolver, InstanceMetadataProvider
    from botocore.utils import METADATA_BASE_URL, InstanceMetadataFetcher

    session = botocore.session.Session()
    for name in ("config_file", "credentials_file"):
        session.set_config_variable(name, os.devnull)
    if "AWS_ACCESS_KEY_ID" in environment:
        session.set_credentials(
            environment["AWS_ACCESS_KEY_ID"],
            environment.get("AWS_SECRET_ACCESS_KEY", ""),
            environment.get("AWS_SESSION_TOKEN"),
        )
        return session
    providers: list[Any] = [ContainerProvider(environ=dict(environment))]
    if is_true(environment, METADATA):
        base = environment.get("AWS_METADATA_ENDPOINT", METADATA_BASE_URL).rstrip("/")
        fetcher = InstanceMetadataFetcher(timeout=_CONNECT_TIMEOUT, num_attempts=3, base_url=f"{base}/")
        providers.append(InstanceMetadataProvider(fetcher))
    session.register_component("credential_provider", CredentialResolver(providers))
    return session
