"""Who asks: how users have the credentials of each kind of store, and in which order they count."""

from __future__ import annotations

import datetime
import functools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cortex_storage.environment import METADATA, has_any, is_true

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNSIGNED = "no credentials were found, so the requests were not signed; set "


@dataclass(frozen=True)
class Credentials:
    """What a store is built with beside its address."""

    options: dict[str, Any] = field(default_factory=dict)
    """Settings of obstore that this decision adds to the variables."""
    provider: Any = None
    """What obstore asks for keys, where it cannot find them itself."""
    denial: str = "check that these credentials may list and read it"
    """What to do when the store refuses them."""
    session: Any = None
    """The same identity for botocore, where that has found it."""
    region: str | None = None
    endpoint: str | None = None


def for_s3(environment: Mapping[str, str]) -> Credentials:
    """Keys in the environment, web identity, container, profile, then (only if asked) the machine's; else unsigned."""
    if is_true(environment, "AWS_SKIP_SIGNATURE"):
        return Credentials(
            {"skip_signature": True}, denial="AWS_SKIP_SIGNATURE is set, so the requests were not signed"
        )
    if has_any(environment, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        return Credentials(denial="check AWS_ACCESS_KEY_ID, and that its owner may list and read it")
    asks_profile = has_any(environment, "AWS_PROFILE", "AWS_DEFAULT_PROFILE")
    if not asks_profile and "AWS_WEB_IDENTITY_TOKEN_FILE" in environment and "AWS_ROLE_ARN" in environment:
        return _from_web_identity(environment)
    if asks_profile or _has_shared_files(environment):
        found = _from_profile(environment)
        if found is not None:
            return found
    if has_any(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return Credentials(denial="check that the container's role may list and read it")
    if is_true(environment, METADATA):
        return Credentials(denial="check that the instance's role may list and read it")
    return Credentials(
        {"skip_signature": True}, denial=_UNSIGNED + "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    )


def _shared_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The files of profiles, by botocore's name for each."""
    home = os.path.join(environment.get("HOME", "~"), ".aws")
    return {
        "credentials_file": environment.get("AWS_SHARED_CREDENTIALS_FILE", os.path.join(home, "credentials")),
        "config_file": environment.get("AWS_CONFIG_FILE", os.path.join(home, "config")),
    }


def _has_shared_files(environment: Mapping[str, str]) -> bool:
    return any(os.path.exists(os.path.expanduser(path)) for path in _shared_files(environment).values())


def _from_profile(environment: Mapping[str, str]) -> Credentials | None:
    """A profile's credentials; None where no profile was named and the default one has none."""
    import botocore.session

    named = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
    session = botocore.session.Session(profile=named)
    for name, path in _shared_files(environment).items():
        session.set_config_variable(name, path)
    if not is_true(environment, METADATA):
        session.get_component("credential_provider").remove("iam-role")
    if session.get_credentials() is None:
        if named is None:
            return None
        raise ValueError(
            f"the profile {named} has no credentials; check AWS_PROFILE and {_files_in_words(environment)}"
        )
    settings = session.get_scoped_config()
    return Credentials(
        provider=_provider(session),
        session=session,
        denial=f"check that the profile {named or 'default'} may list and read it",
        region=settings.get("region"),
        endpoint=settings.get("endpoint_url"),
    )


def _from_web_identity(environment: Mapping[str, str]) -> Credentials:
    """A role that is lent to whoever holds a token, as a cluster gives it to its pods.

    obstore knows this way too, but asks for the role over TLS only; stores of one's own often have none.
    """
    import botocore.session
    from botocore.credentials import (
        AssumeRoleWithWebIdentityCredentialFetcher,
        CredentialResolver,
        DeferredRefreshableCredentials,
    )
    from botocore.utils import FileWebIdentityTokenLoader

    role = environment["AWS_ROLE_ARN"]
    session = botocore.session.Session()
    fetcher = AssumeRoleWithWebIdentityCredentialFetcher(
        client_creator=functools.partial(
            session.create_client,
            region_name=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
            endpoint_url=environment.get("AWS_ENDPOINT_URL_STS") or environment.get("AWS_ENDPOINT_URL"),
        ),
        web_identity_token_loader=FileWebIdentityTokenLoader(environment["AWS_WEB_IDENTITY_TOKEN_FILE"]),
        role_arn=role,
        extra_args={"RoleSessionName": environment.get("AWS_ROLE_SESSION_NAME", "cortex")},
    )

    class Provider:
        METHOD = "assume-role-with-web-identity"

        def load(self) -> Any:
            return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

    session.register_component("credential_provider", CredentialResolver([Provider()]))
    denial = f"check that the role {role} may list and read it"
    return Credentials(provider=_provider(session), session=session, denial=denial)


def _provider(session: Any) -> Any:
    from obstore.auth.boto3 import Boto3CredentialProvider

    # botocore renews what expires; a short life here only means that it is asked again.
    return Boto3CredentialProvider(session, ttl=datetime.timedelta(minutes=5))


def _files_in_words(environment: Mapping[str, str]) -> str:
    return " and ".join(_shared_files(environment).values())


def for_gs(environment: Mapping[str, str]) -> Credentials:
    """What the environment names, gcloud's own file, then (only if asked) the machine's; else unsigned."""
    if is_true(environment, "GOOGLE_SKIP_SIGNATURE"):
        return Credentials({"skip_signature": True}, denial="GOOGLE_SKIP_SIGNATURE is set, so nothing was signed")
    names = ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_SERVICE_ACCOUNT_KEY")
    if has_any(environment, *names, "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_BEARER_TOKEN"):
        return Credentials(denial="check that the account of these credentials may list and read it")
    folder = environment.get("CLOUDSDK_CONFIG", os.path.join(environment.get("HOME", "~"), ".config", "gcloud"))
    path = os.path.join(folder, "application_default_credentials.json")
    if os.path.exists(path):
        return Credentials({"application_credentials": path}, denial=f"check that the account of {path} may read it")
    if is_true(environment, METADATA):
        return Credentials(denial="check that the machine's service account may list and read it")
    return Credentials({"skip_signature": True}, denial=_UNSIGNED + "GOOGLE_APPLICATION_CREDENTIALS")


def for_az(environment: Mapping[str, str]) -> Credentials:
    """What the environment names, then (only if asked) the machine's identity; else unsigned."""
    if is_true(environment, "AZURE_SKIP_SIGNATURE"):
        return Credentials({"skip_signature": True}, denial="AZURE_SKIP_SIGNATURE is set, so nothing was signed")
    options = _connection_string(environment.get("AZURE_STORAGE_CONNECTION_STRING", ""))
    # The names that Azure's own command line has, which obstore does not read.
    for name, option in (("ACCOUNT", "account_name"), ("KEY", "account_key")):
        if f"AZURE_STORAGE_{name}" in environment:
            options.setdefault(option, environment[f"AZURE_STORAGE_{name}"])
    stated = has_any(
        environment,
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_MASTER_KEY",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_TOKEN",
        "AZURE_CLIENT_SECRET",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_USE_AZURE_CLI",
        "AZURE_STORAGE_USE_EMULATOR",
        "AZURE_IDENTITY_ENDPOINT",
        "AZURE_MSI_ENDPOINT",
    )
    if stated or "account_key" in options or "sas_key" in options or is_true(environment, METADATA):
        return Credentials(options, denial="check that these credentials may list and read it")
    return Credentials(
        {**options, "skip_signature": True}, denial=_UNSIGNED + "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN"
    )


def _connection_string(text: str) -> dict[str, str]:
    """`AccountName=…;AccountKey=…;…` as obstore's settings."""
    names = {
        "AccountName": "account_name",
        "AccountKey": "account_key",
        "BlobEndpoint": "endpoint",
        "SharedAccessSignature": "sas_key",
    }
    parts = (part.partition("=") for part in text.split(";"))
    return {names[name.strip()]: value for name, _, value in parts if name.strip() in names and value}
