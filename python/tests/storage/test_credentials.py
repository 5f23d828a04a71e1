"""Who asks: each way in which users have credentials, told by what reaches the server."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import TYPE_CHECKING

import pytest

from cortex_storage.environment import overlay
from cortex_storage.pages import bucket_region
from storage import web as faulty
from storage.peer import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.conftest import S3
    from storage.peer import Agent
    from storage.web import WebServer

LISTING = (
    b'<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>'
    b"<Contents><Key>m/a</Key>"
    b"<LastModified>2025-10-09T08:53:20.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>3</Size></Contents>"
    b"</ListBucketResult>"
)


@pytest.fixture
def listed(web: WebServer) -> WebServer:
    """A server that answers each listing of `s3://bucket/m/`."""
    web.faults["/bucket"] = [faulty.Fault(status=200, body=LISTING) for _ in range(10)]
    return web


def signer(web: WebServer) -> str | None:
    """The key that the last listing was signed with."""
    value = web.gets("/bucket")[-1].get("authorization")
    if value is None:
        return None
    found = re.search(r"Credential=([^/]+)/", value)
    assert found
    return found[1]


def test_keys_and_token_of_the_environment(listed: WebServer, start: Callable[..., Agent]) -> None:
    agent = start(
        AWS_ENDPOINT_URL=listed.url, AWS_ACCESS_KEY_ID="AK", AWS_SECRET_ACCESS_KEY="s", AWS_SESSION_TOKEN="token"
    )
    assert agent.paths("s3://bucket/m/") == ["a"]
    assert signer(listed) == "AK"
    assert listed.gets("/bucket")[-1]["x-amz-security-token"] == "token"


def test_a_requests_own_keys_come_without_the_servers_token(listed: WebServer, start: Callable[..., Agent]) -> None:
    agent = start(
        AWS_ENDPOINT_URL=listed.url, AWS_ACCESS_KEY_ID="AK", AWS_SECRET_ACCESS_KEY="s", AWS_SESSION_TOKEN="token"
    )
    agent.paths("s3://bucket/m/", AWS_ACCESS_KEY_ID="OWN", AWS_SECRET_ACCESS_KEY="t")
    assert signer(listed) == "OWN"
    assert "x-amz-security-token" not in listed.gets("/bucket")[-1]
    agent.paths("s3://bucket/m/")
    assert signer(listed) == "AK"


def test_without_credentials_nothing_is_signed(listed: WebServer, start: Callable[..., Agent]) -> None:
    assert start(AWS_ENDPOINT_URL=listed.url).paths("s3://bucket/m/") == ["a"]
    assert signer(listed) is None


def test_the_services_own_endpoint_comes_first(listed: WebServer, start: Callable[..., Agent]) -> None:
    agent = start(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_ENDPOINT_URL_S3=listed.url)
    assert agent.paths("s3://bucket/m/") == ["a"]


def test_the_region_is_signed_for(listed: WebServer, start: Callable[..., Agent]) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s"}
    agent = start(AWS_ENDPOINT_URL=listed.url, **keys)
    for region, variables in (
        ("us-east-1", {}),
        ("eu-west-1", {"AWS_DEFAULT_REGION": "eu-west-1"}),
        ("eu-west-2", {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}),
    ):
        agent.paths("s3://bucket/m/", **variables)
        assert f"/{region}/s3/" in listed.gets("/bucket")[-1]["authorization"]


def test_a_bucket_tells_its_region_even_when_it_refuses(web: WebServer) -> None:
    web.options_status = 403
    web.pages["/"] = ("text/plain", b"")
    assert bucket_region(f"{web.url}/") is None
    assert bucket_region("http://127.0.0.1:9/") is None


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    path = tmp_path / "shared"
    path.write_text(
        "[default]\naws_access_key_id=DEFAULT\naws_secret_access_key=s\n"
        "[second]\naws_access_key_id=SECOND\naws_secret_access_key=s\naws_session_token=token\nregion=eu-west-3\n"
    )
    return path


def test_profiles_and_shared_files(listed: WebServer, profiles: Path, start: Callable[..., Agent]) -> None:
    agent = start(AWS_ENDPOINT_URL=listed.url, AWS_SHARED_CREDENTIALS_FILE=str(profiles))
    agent.paths("s3://bucket/m/")
    assert signer(listed) == "DEFAULT"
    agent.paths("s3://bucket/m/", AWS_PROFILE="second")
    assert signer(listed) == "SECOND"
    assert listed.gets("/bucket")[-1]["x-amz-security-token"] == "token"
    assert "/eu-west-3/s3/" in listed.gets("/bucket")[-1]["authorization"]
    agent.paths("s3://bucket/m/", AWS_ACCESS_KEY_ID="OWN", AWS_SECRET_ACCESS_KEY="t")
    assert signer(listed) == "OWN"


def test_the_file_in_the_home_folder(listed: WebServer, tmp_path: Path, start: Callable[..., Agent]) -> None:
    home = tmp_path / "agent-0" / ".aws"
    home.mkdir(parents=True)
    (home / "credentials").write_text("[default]\naws_access_key_id=HOME\naws_secret_access_key=s\n")
    (home / "config").write_text(f"[default]\nendpoint_url = {listed.url}\n")
    start().paths("s3://bucket/m/")
    assert signer(listed) == "HOME"


def test_an_unknown_profile_is_named(profiles: Path, start: Callable[..., Agent]) -> None:
    with pytest.raises(Fault, match=r"denied: s3://bucket/m/: .*cannot be used: .*nobody"):
        start(AWS_SHARED_CREDENTIALS_FILE=str(profiles), AWS_PROFILE="nobody").listing("s3://bucket/m/")


def test_web_identity(s3: S3, start: Callable[..., Agent], tmp_path: Path) -> None:
    s3.fill("identity", {"m/a": b"1", "m//bad": b"2"})
    token = tmp_path / "token"
    token.write_text("signed by the cluster")
    agent = start(
        AWS_ENDPOINT_URL=s3.url,
        AWS_ENDPOINT_URL_STS=s3.url,
        AWS_WEB_IDENTITY_TOKEN_FILE=str(token),
        AWS_ROLE_ARN="arn:aws:iam::123456789012:role/reader",
        AWS_ROLE_SESSION_NAME="cortex",
    )
    assert agent.paths("s3://identity/m/") == ["(empty)", "a"]


def test_a_containers_credentials(listed: WebServer, tmp_path: Path, start: Callable[..., Agent]) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    answer = {"AccessKeyId": "POD", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
    listed.pages["/creds"] = ("application/json", json.dumps(answer).encode())
    agent = start(
        AWS_ENDPOINT_URL=listed.url,
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{listed.url}/creds",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token),
    )
    agent.paths("s3://bucket/m/")
    assert signer(listed) == "POD"
    assert listed.gets("/creds")[0]["authorization"] == "secret"


def test_the_machines_metadata_only_when_asked(listed: WebServer, start: Callable[..., Agent]) -> None:
    answer = {"AccessKeyId": "BOX", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
    listed.pages |= {
        "/latest/meta-data/iam/security-credentials/": ("text/plain", b"role"),
        "/latest/meta-data/iam/security-credentials/role": ("application/json", json.dumps(answer).encode()),
    }
    variables = {"AWS_ENDPOINT_URL": listed.url, "AWS_METADATA_ENDPOINT": listed.url}
    start(**variables).paths("s3://bucket/m/")
    assert signer(listed) is None
    assert not listed.gets("/latest/meta-data/iam/security-credentials/")
    listed.objects.clear()
    start(**variables, CORTEX_STORAGE_METADATA="true").paths("s3://bucket/m/")
    assert signer(listed) == "BOX"


@pytest.mark.parametrize(
    ("variables", "key", "token"),
    [
        ({}, None, None),
        ({"AWS_SKIP_SIGNATURE": "true", "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s"}, None, None),
        ({"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s"}, "AK", None),
        ({"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "token"}, "AK", "token"),
        ({"AWS_SHARED_CREDENTIALS_FILE": "PROFILES", "AWS_PROFILE": "second"}, "SECOND", "token"),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/creds",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "SECRET",
            },
            "POD",
            "t",
        ),
        ({"AWS_METADATA_ENDPOINT": "SERVER", "CORTEX_STORAGE_METADATA": "true"}, "POD", "t"),
    ],
)
def test_a_second_look_at_a_bucket_is_signed_like_the_first(
    variables: dict[str, str],
    key: str | None,
    token: str | None,
    web: WebServer,
    profiles: Path,
    start: Callable[..., Agent],
) -> None:
    # A name that obstore refuses is asked for again, by botocore.
    entry = LISTING[LISTING.index(b"<Contents>") : LISTING.index(b"</ListBucketResult>")]
    body = LISTING.replace(entry, entry.replace(b"m/a", b"m//x") + entry)
    web.faults["/bucket"] = [faulty.Fault(status=200, body=body) for _ in range(2)]
    answer = {
        "Code": "Success",
        "AccessKeyId": "POD",
        "SecretAccessKey": "s",
        "Token": "t",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    web.pages |= {
        "/creds": ("application/json", json.dumps(answer).encode()),
        "/latest/meta-data/iam/security-credentials/": ("text/plain", b"role"),
        "/latest/meta-data/iam/security-credentials/role": ("application/json", json.dumps(answer).encode()),
    }
    secret = profiles.parent / "secret"
    secret.write_text("secret")
    places = {"PROFILES": str(profiles), "SERVER": web.url, "SECRET": str(secret)}
    for name, place in places.items():
        variables = {variable: value.replace(name, place) for variable, value in variables.items()}
    assert start(AWS_ENDPOINT_URL=web.url, **variables).paths("s3://bucket/m/") == ["(empty)", "a"]
    first, second = web.gets("/bucket")
    assert "Boto" not in first["user-agent"]
    assert "Boto" in second["user-agent"]
    assert signer(web) == key
    assert first.get("authorization", "").split("/")[0] == second.get("authorization", "").split("/")[0]
    assert [asked.get("x-amz-security-token") for asked in (first, second)] == [token, token]


def test_keys_are_checked_by_a_real_server(strict_s3: S3, start: Callable[..., Agent]) -> None:
    strict_s3.fill("guarded", {"m/a": b"1"})
    iam = strict_s3.connect("test", "test", "iam")
    iam.create_user(UserName="reader")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    switch = urllib.request.Request(f"{strict_s3.url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
    urllib.request.urlopen(switch).close()
    agent = start(AWS_ENDPOINT_URL=strict_s3.url, AWS_REGION="us-east-1")
    good = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    assert agent.paths("s3://guarded/m/", **good) == ["a"]
    with pytest.raises(Fault) as caught:
        agent.listing("s3://guarded/m/", **{**good, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert caught.value.kind == "denied"
    assert "SignatureDoesNotMatch" in caught.value.message
    assert "wrong" not in caught.value.message
    with pytest.raises(Fault, match="InvalidAccessKeyId") as caught:
        agent.listing("s3://guarded/m/", AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="x")
    assert caught.value.kind == "denied"


def test_an_overlay_replaces_an_identity_as_a_whole() -> None:
    server = {"AWS_ACCESS_KEY_ID": "a", "AWS_SESSION_TOKEN": "t", "AWS_REGION": "r", "GOOGLE_BEARER_TOKEN": "g"}
    assert overlay(server, {"AWS_REGION": "s"}) == {**server, "AWS_REGION": "s"}
    assert overlay(server, {"AWS_PROFILE": "p"}) == {
        "AWS_PROFILE": "p",
        "AWS_REGION": "r",
        "GOOGLE_BEARER_TOKEN": "g",
    }
    assert overlay({"AWS_PROFILE": "p"}, {"AWS_PROFILE": ""}) == {}


def test_a_role_that_is_not_given_is_told(web: WebServer, start: Callable[..., Agent], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("signed by nobody")
    agent = start(
        AWS_ENDPOINT_URL=web.url,
        AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "token"),
        AWS_ROLE_ARN="arn:aws:iam::123456789012:role/reader",
    )
    with pytest.raises(Fault, match=r"denied: s3://bucket/m/: .*role/reader") as caught:
        agent.listing("s3://bucket/m/")
    assert "Traceback" not in caught.value.message
