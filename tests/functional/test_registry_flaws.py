"""Published flaws of other registries, each as a case that this one must pass, and the quirks of
clients that their makers' registries learned the hard way."""
import base64
import hashlib
import hmac
import json
import os
import socket
import time

import pytest

from framework import oci
from framework.oci import Content, IMAGE, INDEX
from framework.registry import Registry


@pytest.fixture(scope="module")
def carol(registry):
    return registry.client("carol")


def pushed(client, repo, tag="v1") -> Content:
    content = Content()
    content.image(tag)
    oci.push(client, repo, content)
    return content


def test_cve_2017_11468_a_manifest_past_its_limit_is_413_and_costs_no_memory(registry, alice):
    before = registry.role.rss_mib(peak=False)
    limit = 4 << 20
    for size in (limit + 1, 64 << 20):
        reply = alice.request("PUT", "/v2/team/big/manifests/v1", b" " * size, {"Content-Type": IMAGE})
        assert reply.status == 413 and reply.code() == "MANIFEST_INVALID", reply
    # Without a length it is found out on the way.
    pieces = lambda: iter([b" " * 65536] * 65)  # noqa: E731
    reply = alice.request("PUT", "/v2/team/big/manifests/v1", pieces,
                          {"Content-Type": IMAGE, "Transfer-Encoding": "chunked"})
    assert reply.status == 413, reply
    exact = alice.request("PUT", "/v2/team/big/manifests/v1", b" " * limit, {"Content-Type": IMAGE})
    assert exact.status == 400 and exact.code() == "MANIFEST_INVALID", exact
    assert registry.role.rss_mib(peak=False) - before < 32


def test_cve_2021_41190_a_body_is_a_manifest_or_an_index_never_both(alice):
    content = pushed(alice, "team/types")
    dig, data = next(iter(content.manifests.items()))
    body = json.loads(data)
    both = {**body, "manifests": []}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "layers": []}
    for wrong, kind in ((both, IMAGE), (body, INDEX), ({**body, "mediaType": INDEX}, IMAGE), (index, INDEX),
                        ({**index, "config": body["config"]}, INDEX), ({**both, "mediaType": INDEX}, INDEX)):
        reply = oci.put_manifest(alice, "team/types", "v2", json.dumps(wrong).encode(), kind)
        assert reply.status == 400 and reply.code() == "MANIFEST_INVALID", (wrong, reply)
    # Doubled members are how two readers see two manifests.
    twice = data[:-1] + b', "layers": []}'
    assert oci.put_manifest(alice, "team/types", "v2", twice, IMAGE).status == 400
    # The stored type is served, whatever is asked for.
    got = alice.get(f"/v2/team/types/manifests/{dig}", Accept=INDEX)
    assert got.header("Content-Type") == IMAGE and got.body == data


@pytest.mark.parametrize("n", ["2147483648", "99999999999999999999", "-1", "x", "1e9", "0x10", " 1", ""])
@pytest.mark.parametrize("path", ["/v2/_catalog", "/v2/team/pages/tags/list"])
def test_cve_2023_2253_page_sizes_are_cut_or_refused(alice, path, n):
    if alice.get("/v2/team/pages/tags/list").status == 404:
        pushed(alice, "team/pages")
    reply = alice.get(f"{path}?n={n.replace(' ', '%20')}")
    assert reply.status in (200, 400), reply
    assert (reply.status == 200) == n.isdigit()
    if reply.status == 200:
        assert len(reply.body) < 1 << 20


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict, dict, str]:
    head, claims, signature = token.split(".")
    pad = lambda t: base64.urlsafe_b64decode(t + "=" * (-len(t) % 4))  # noqa: E731
    return json.loads(pad(head)), json.loads(pad(claims)), signature


def test_cve_2025_24976_keys_that_a_token_brings_along_open_nothing(registry, alice):
    pushed(alice, "team/keys")
    token = alice.token("repository:team/keys:pull")
    head, claims, signature = parts(token)
    claims["access"] = [{"type": "repository", "name": "team/keys", "actions": ["pull", "push", "delete"]}]
    path = "/v2/team/keys/manifests/v1"

    def get(token: str) -> int:
        reply = alice.raw("GET", path, headers={"Authorization": f"Bearer {token}"})
        if reply.status == 401:
            assert 'error="invalid_token"' in reply.header("WWW-Authenticate"), reply
        return reply.status

    assert get(token) == 200
    payload = b64(json.dumps(claims).encode())
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(os.urandom(32)), "y": b64(os.urandom(32)), "kid": head.get("kid")}
    forged = [
        {**head, "jwk": jwk}, {**head, "alg": "none"}, {**head, "alg": "None"}, {**head, "alg": "HS256"},
        {k: v for k, v in head.items() if k != "x5c"} | {"jwk": jwk},
        {**head, "kid": "../../../dev/null"}, {**head, "crit": ["exp"]}, {**head, "x5u": "http://127.0.0.1:1/"},
    ]
    for wrong in forged:
        first = f"{b64(json.dumps(wrong).encode())}.{payload}"
        secret = base64.b64decode(head["x5c"][0]) if head.get("x5c") else b"k"
        mac = b64(hmac.new(secret, first.encode(), hashlib.sha256).digest())
        for tail in (signature, "", mac, b64(os.urandom(64))):
            assert get(f"{first}.{tail}") == 401, wrong
    assert get(f"{token.split('.')[0]}.{payload}.{signature}") == 401
    for broken in ("", "a", "a.b", "a.b.c", token + ".x", token + "=", "A" * 9000):
        assert get(broken) in (400, 401, 431)


def test_cve_2026_35172_a_deleted_blob_stays_deleted_where_it_was_deleted(alice):
    data = os.urandom(512)
    dig = oci.digest(data)
    for repo in ("team/one", "team/two"):
        assert oci.post_put(alice, repo, dig, data).status == 201
        assert alice.get(f"/v2/{repo}/blobs/{dig}").status == 200
    assert alice.delete(f"/v2/team/one/blobs/{dig}").status == 202
    assert alice.get(f"/v2/team/two/blobs/{dig}").body == data
    assert alice.get(f"/v2/team/one/blobs/{dig}").status == 404
    assert alice.head(f"/v2/team/one/blobs/{dig}").status == 404


def test_cve_2026_41888_every_way_to_delete_heeds_the_switch(tmp_path):
    with Registry(tmp_path / "r", allow_delete=False) as registry:
        client = registry.client("alice")
        content = pushed(client, "team/kept")
        dig = content.tags["v1"]
        blob = next(iter(content.blobs))
        for path in ("manifests/v1", f"manifests/{dig}", f"blobs/{blob}", "manifests/none",
                     f"blobs/{oci.digest(b'none')}"):
            reply = client.delete(f"/v2/team/kept/{path}")
            assert reply.status == 405 and reply.code() == "UNSUPPORTED", (path, reply)
        assert client.get("/v2/team/kept/manifests/v1").body == content.manifests[dig]
        assert client.get(f"/v2/team/kept/blobs/{blob}").status == 200
        # An upload is not content yet.
        assert client.delete(oci.begin(client, "team/kept")).status == 204


@pytest.mark.parametrize("query", ["&from=team/secret", ""])
def test_cve_2024_39897_a_digest_alone_mounts_nothing(alice, carol, query):
    data = os.urandom(512)
    dig = oci.digest(data)
    assert oci.post_put(alice, "team/secret", dig, data).status == 201
    begun = carol.request("POST", f"/v2/other/app/blobs/uploads/?mount={dig}{query}")
    assert begun.status == 202, begun
    assert carol.get(f"/v2/other/app/blobs/{dig}").status == 404
    # Nor does a manifest that names it.
    content = Content()
    content.image(layer_list=[content.descriptor(oci.LAYER, data)])
    for other, body in content.blobs.items():
        assert oci.post_put(carol, "other/app", other, body).status == 201
    body = next(iter(content.manifests.values()))
    assert oci.put_manifest(carol, "other/app", "v1", body, IMAGE).code() == "MANIFEST_BLOB_UNKNOWN"


def test_cve_2025_23208_and_2024_22278_every_route_asks_for_its_own_right(registry, alice):
    content = pushed(alice, "team/shared")
    dig, blob = content.tags["v1"], next(iter(content.blobs))
    upload = oci.begin(alice, "team/shared")
    routes = [("GET", f"manifests/{dig}", "pull"), ("GET", f"blobs/{blob}", "pull"), ("GET", "tags/list", "pull"),
              ("GET", f"referrers/{dig}", "pull"), ("PUT", "manifests/v2", "push"),
              ("DELETE", f"manifests/{dig}", "delete"), ("DELETE", f"blobs/{blob}", "delete"),
              ("DELETE", "manifests/v1", "delete"), ("POST", "blobs/uploads/", "push"),
              ("PATCH", upload.partition("shared/")[2], "push"), ("PUT", upload.partition("shared/")[2], "push"),
              ("GET", upload.partition("shared/")[2], "push"), ("DELETE", upload.partition("shared/")[2], "push")]
    rights = {None: set(), "carol": set(), "bob": {"pull"}}
    for user, has in rights.items():
        client = registry.client(user)
        token = client.token("repository:team/shared:pull,push,delete,*")
        for method, path, need in routes:
            body = b"" if method in ("PUT", "PATCH", "POST") else None
            reply = client.raw(method, f"/v2/team/shared/{path}", body, {"Authorization": f"Bearer {token}"})
            assert (reply.status == 401) == (need not in has), (user, method, path, reply)
            if reply.status == 401:
                assert 'error="insufficient_scope"' in reply.header("WWW-Authenticate")
                assert reply.code() == "UNAUTHORIZED"
    assert alice.get(f"/v2/team/shared/manifests/{dig}").status == 200


def test_private_names_look_like_names_that_are_not_there(registry):
    anonymous = registry.client(None)
    there = anonymous.get("/v2/team/secret/tags/list")
    absent = anonymous.get("/v2/team/never/tags/list")
    assert (there.status, there.body) == (absent.status, absent.body)
    assert there.status == 401


def test_cve_2025_48374_no_secret_is_written_anywhere(registry, alice):
    token = alice.token("repository:team/logs:pull,push")
    wrong = base64.b64encode(b"alice:not-the-password").decode()
    alice.raw("GET", "/token?service=convoy-registry", headers={"Authorization": f"Basic {wrong}"})
    alice.raw("GET", "/v2/team/logs/tags/list", headers={"Authorization": f"Bearer {token}"})
    text = registry.role.log.read_text() + registry.role.audit.read_text()
    assert "team/logs" in text
    for secret in (registry.password, token, token.split(".")[2], "not-the-password", wrong):
        assert secret not in text


def test_zot_3978_a_slow_header_is_cut_and_holds_nobody_up(registry, alice):
    with socket.create_connection(("127.0.0.1", registry.port)) as slow:
        slow.settimeout(30)
        slow.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n")
        began = time.monotonic()
        assert alice.get("/v2/").status == 200
        while slow.recv(4096):
            pass
        assert time.monotonic() - began < 20


def test_zot_3980_headers_past_their_limit_are_431(registry):
    with socket.create_connection(("127.0.0.1", registry.port)) as client:
        client.settimeout(10)
        client.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Large: " + b"a" * 33_000 + b"\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 431")


def test_zot_3984_no_origin_is_allowed_by_name_or_star(alice):
    reply = alice.get("/v2/", Origin="https://evil.example")
    assert not reply.header("Access-Control-Allow-Origin")
    assert not reply.header("Access-Control-Allow-Credentials")


# Quirks of clients

def test_quirk_ping_always_challenges_where_there_is_a_log_in(alice):
    reply = alice.raw("GET", "/v2/")
    assert reply.status == 401 and reply.header("WWW-Authenticate").startswith("Bearer realm="), reply
    assert reply.header("Docker-Distribution-Api-Version") == "registry/2.0"
    assert reply.code() == "UNAUTHORIZED"


def test_quirk_unknown_parameters_and_trailing_slashes_are_fine(alice):
    pushed(alice, "team/quirks")
    for path in ("/v2", "/v2/", "/v2/?ns=docker.io", "/v2/team/quirks/manifests/v1?ns=docker.io",
                 "/v2/team/quirks/tags/list/", "/v2/team/quirks/tags/list?x=1"):
        assert alice.get(path).status == 200, path
    for path in ("/v2/team/quirks/blobs/uploads", "/v2/team/quirks/blobs/uploads/?ns=a.example"):
        assert alice.request("POST", path).status == 202, path


def test_quirk_expect_continue_is_answered_before_the_body(registry, alice):
    data = os.urandom(70_000)
    path = oci.closing(oci.begin(alice, "team/curl"), oci.digest(data))
    token = alice.token("repository:team/curl:pull,push")
    with socket.create_connection(("127.0.0.1", registry.port)) as client:
        client.settimeout(10)
        client.sendall((f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                        f"Content-Length: {len(data)}\r\nExpect: 100-continue\r\n\r\n").encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 100")
        client.sendall(data)
        assert client.recv(4096).startswith(b"HTTP/1.1 201")


def test_quirk_a_refusal_before_the_body_arrives_as_an_answer_not_a_reset(registry):
    """The whole body is sent without looking, as clients do."""
    body = os.urandom(8 << 20)
    with socket.create_connection(("127.0.0.1", registry.port)) as client:
        client.settimeout(20)
        client.sendall((f"PUT /v2/team/x/manifests/v1 HTTP/1.1\r\nHost: x\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n").encode())
        try:
            client.sendall(body)
        except OSError:
            pytest.fail("the connection was reset while the body was sent")
        assert client.recv(4096).startswith(b"HTTP/1.1 401")


def test_quirk_blobs_are_never_compressed_on_the_way(alice):
    data = b"a" * 100_000
    assert oci.post_put(alice, "team/plain", oci.digest(data), data).status == 201
    got = alice.get(f"/v2/team/plain/blobs/{oci.digest(data)}", Accept_Encoding="zstd,gzip,deflate")
    assert got.body == data and not got.header("Content-Encoding")


def test_quirk_a_refused_head_has_no_body_and_a_length_all_the_same(alice):
    reply = alice.head("/v2/team/plain/manifests/none")
    assert reply.status == 404 and reply.body == b""
    assert not reply.header("X-Registry-Supports-Signatures")


def test_quirk_docker_asks_for_the_source_of_a_mount_in_the_same_token(registry):
    client = registry.client("alice")
    reply = client.raw("POST", f"/v2/team/a/blobs/uploads/?mount={oci.digest(b'x')}&from=team/b", b"")
    challenge = reply.header("WWW-Authenticate")
    assert "repository:team/a:pull,push" in challenge and "repository:team/b:pull" in challenge, challenge


def test_quirk_types_with_parameters_are_stored_without(alice):
    content = Content()
    content.image()
    for dig, data in content.blobs.items():
        assert oci.post_put(alice, "team/param", dig, data).status == 201
    dig, data = next(iter(content.manifests.items()))
    assert oci.put_manifest(alice, "team/param", "v1", data, IMAGE + "; charset=utf-8").status == 201
    assert alice.get("/v2/team/param/manifests/v1").header("Content-Type") == IMAGE


# More of the table: what has no better place above

def test_cve_2019_16097_unknown_members_of_a_log_in_give_nothing(registry):
    client = registry.client("bob")
    form = (f"grant_type=password&service=convoy-registry&username=bob&password={registry.password}"
            "&client_id=x&scope=repository:team/shared:pull,push,delete&admin=true&role=admin&sub=alice")
    reply = client.raw("POST", "/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 200 and reply.json()["scope"] == "repository:team/shared:pull", reply
    _, claims, _ = parts(reply.json()["token"])
    assert claims["sub"] == "bob" and claims["access"] == [
        {"type": "repository", "name": "team/shared", "actions": ["pull"]}], claims


def test_cve_2020_29662_the_catalog_asks_for_its_own_right(registry):
    for user in (None, "bob", "carol"):
        client = registry.client(user)
        assert client.raw("GET", "/v2/_catalog").status == 401
        token = client.token("registry:catalog:*")
        assert client.raw("GET", "/v2/_catalog", headers={"Authorization": f"Bearer {token}"}).status == 401


@pytest.mark.parametrize("text", ["' OR '1'='1", "'; DROP TABLE tags;--", "%", "_", "\\", "\0", "a\nb"])
def test_cve_2024_22261_text_of_clients_is_never_sql(alice, text):
    from urllib.parse import quote
    content = pushed(alice, "team/sql")
    dig = content.tags["v1"]
    for path in (f"tags/list?last={quote(text)}", f"referrers/{dig}?artifactType={quote(text)}",
                 f"referrers/{dig}?last={quote(text)}"):
        reply = alice.get(f"/v2/team/sql/{path}")
        assert reply.status in (200, 400), reply
    assert alice.get("/v2/team/sql/tags/list").json()["tags"] == ["v1"]
    assert alice.get(f"/v2/{quote(text)}/tags/list").status in (400, 404)


def test_cve_2025_32019_no_answer_can_be_taken_for_a_page(alice):
    script = "<script>alert(1)</script>"
    content = Content()
    content.image("v1", annotations={"a": script})
    oci.push(alice, "team/pages2", content)
    from urllib.parse import quote
    for path in ("manifests/v1", f"manifests/{quote(script)}", f"tags/list?last={quote(script)}",
                 f"blobs/{next(iter(content.blobs))}", f"blobs/{quote(script)}"):
        reply = alice.get(f"/v2/team/pages2/{path}")
        assert reply.header("X-Content-Type-Options") == "nosniff", reply
        kind = reply.header("Content-Type")
        assert kind.endswith("json") or kind == oci.OCTETS, reply


def test_cve_2026_4404_no_account_is_there_by_itself(tmp_path):
    # A registry of its own: guessing slows the address down.
    with Registry(tmp_path / "r") as registry:
        for name, password in (("admin", "admin"), ("admin", "Harbor12345"), ("root", ""), ("alice", ""),
                               ("", ""), ("anonymous", "")):
            secret = base64.b64encode(f"{name}:{password}".encode()).decode()
            reply = registry.client(None).raw("GET", "/token?service=convoy-registry",
                                              headers={"Authorization": f"Basic {secret}"})
            assert reply.status in (401, 429), (name, reply)


def test_cve_2022_31666_an_upload_is_its_own_users_alone(registry, alice):
    location = oci.begin(alice, "public/app")
    carol = registry.client("carol")
    other = "/v2/other/app/blobs/uploads/" + location.rsplit("/", 1)[1]
    for method, path in (("GET", other), ("PATCH", other), ("DELETE", other),
                         ("PUT", oci.closing(other, oci.digest(b"x")))):
        reply = carol.request(method, path, b"x" if method in ("PATCH", "PUT") else None)
        assert reply.status == 404 and reply.code() == "BLOB_UPLOAD_UNKNOWN", (method, reply)
    assert alice.get(location).status == 204


def test_cve_2026_31801_a_tag_that_is_kept_is_moved_on_no_path(tmp_path):
    project = '[[registry.project]]\nname = "team"\nimmutable_tags = ["v*", "latest"]\n'
    with Registry(tmp_path / "r", tables=project) as registry:
        client = registry.client("alice")
        first, second = pushed(client, "team/kept", "latest"), pushed(client, "team/kept", "free")
        other, data = second.tags["free"], second.manifests[second.tags["free"]]
        assert oci.put_manifest(client, "team/kept", other, data, IMAGE, ["v1"]).status == 201
        mine = first.tags["latest"]
        body = first.manifests[mine]
        ways = [oci.put_manifest(client, "team/kept", "latest", data, IMAGE),
                oci.put_manifest(client, "team/kept", other, data, IMAGE, ["latest"]),
                oci.put_manifest(client, "team/kept", other, data, IMAGE, ["new", "latest"]),
                oci.put_manifest(client, "team/kept", "v1", body, IMAGE),
                client.delete("/v2/team/kept/manifests/latest"),
                client.delete(f"/v2/team/kept/manifests/{mine}")]
        for reply in ways:
            assert reply.status == 403 and reply.code() == "DENIED", reply
        assert client.head("/v2/team/kept/manifests/latest").header("Docker-Content-Digest") == mine
        assert client.get("/v2/team/kept/tags/list").json()["tags"] == ["free", "latest", "v1"]
        # The same again is no change, and others may move.
        assert oci.put_manifest(client, "team/kept", "latest", body, IMAGE).status == 201
        assert oci.put_manifest(client, "team/kept", "free", body, IMAGE).status == 201
