"""A registry that is short of memory turns new clients away, and lets go on what is under way."""
import base64
import os
import re
import socket
import time

import pytest

from framework import oci
from framework.oci import Content
from framework.registry import Registry

MANIFEST = 4 << 20


def level(registry: Registry) -> int:
    return int(float(re.search(r"^convoy_registry_load_level(?:{[^}]*})? (\S+)", registry.role.ops("/metrics")[1],
                               re.MULTILINE).group(1)))


def wait_for_level(registry: Registry, wanted: int) -> None:
    end = time.monotonic() + 20
    while level(registry) != wanted:
        assert time.monotonic() < end, f"level {level(registry)}, {registry.role.rss_mib(peak=False)} MiB"
        time.sleep(0.05)


def weigh_down(registry: Registry, token: str, mib: int) -> list[socket.socket]:
    """Manifests that stay one byte short, each held in memory."""
    out = []
    for _ in range(mib // 4):
        connection = socket.create_connection(("127.0.0.1", registry.port))
        connection.sendall(f"PUT /v2/other/app/manifests/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                           f"Content-Type: {oci.IMAGE}\r\nContent-Length: {MANIFEST}\r\n\r\n".encode())
        connection.sendall(b" " * (MANIFEST - 1))
        out.append(connection)
    return out


def ask_for_token(registry: Registry, client, user: str):
    secret = base64.b64encode(f"{user}:{registry.password}".encode()).decode()
    return client.raw("GET", "/token?service=convoy-registry&scope=repository:team/shared:pull",
                      headers={"Authorization": f"Basic {secret}"})


@pytest.fixture
def registry(workdir):
    tables = '[registry.load]\nlatency = "0s"\nmemory = "200MiB"\n'
    with Registry(workdir / "r", tables=tables) as running:
        yield running


def test_an_upload_under_way_ends_well_while_newcomers_wait(registry):
    alice, bob, stranger = registry.client("alice"), registry.client("bob"), registry.client(None)
    shared = Content()
    shared.image("v1")
    oci.push(alice, "public/app", shared)
    bob_token = bob.token("repository:team/shared:pull")
    hog = registry.client("carol").token("repository:other/app:pull,push")
    data = os.urandom(1 << 20)
    location = oci.begin(alice, "team/big")
    assert oci.chunk(alice, location, data, 0, (1 << 19) - 1).status == 202
    assert level(registry) == 0

    held = weigh_down(registry, hog, 200)
    wait_for_level(registry, 2)
    # Newcomers: login, pull, list and upload, each told when to come again.
    newcomers = [
        ask_for_token(registry, bob, "bob"),
        stranger.raw("GET", "/token?service=convoy-registry&scope=repository:public/app:pull"),
        bob.raw("GET", "/v2/team/shared/manifests/v1", headers={"Authorization": f"Bearer {bob_token}"}),
        bob.raw("GET", "/v2/team/shared/tags/list", headers={"Authorization": f"Bearer {bob_token}"}),
    ]
    for reply in newcomers:
        assert reply.status == 503 and reply.code() == "UNAVAILABLE", reply
        assert 1 <= int(reply.header("Retry-After")) <= 60
    # What is under way: the upload, the next blob of the same push, and its manifest.
    assert oci.chunk(alice, location, data, 1 << 19, (1 << 20) - 1).status == 202
    assert alice.request("PUT", oci.closing(location, oci.digest(data)), b"").status == 201
    pushed = Content()
    pushed.image("v1")
    oci.push(alice, "team/big", pushed)
    assert alice.get("/v2/team/big/manifests/v1").status == 200
    assert alice.get(f"/v2/team/big/blobs/{oci.digest(data)}").body == data
    assert registry.role.ops("/readyz")[0] == 200
    assert 'convoy_registry_turned_away_total{reason="overloaded",route="token"} 2' in registry.role.ops("/metrics")[1]

    for connection in held:
        connection.close()
    wait_for_level(registry, 0)
    assert ask_for_token(registry, bob, "bob").status == 200
    assert stranger.get("/v2/public/app/manifests/v1").status == 200
