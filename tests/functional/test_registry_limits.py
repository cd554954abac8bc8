"""Every limit of the distribution API at its edge and one past it."""
import json
import os
import socket
import ssl
import time

import pytest

from framework import oci
from framework.oci import Content, IMAGE, INDEX
from framework.registry import Registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    limits = '[registry.limits]\nblob_size = "1MiB"\nuploads_per_user = 5\nupload_idle = "1s"\n'
    with Registry(tmp_path_factory.mktemp("registry"), tables=limits) as running:
        yield running


@pytest.fixture(scope="module")
def pushed(alice):
    content = Content()
    content.image("v1")
    oci.push(alice, "team/app", content)
    return content


def test_name_of_200_characters(alice):
    assert oci.post_put(alice, "team/" + "a" * 195, oci.digest(b"x"), b"x").status == 201
    assert alice.get("/v2/team/" + "a" * 195 + "/tags/list").status == 200
    refused = alice.get("/v2/team/" + "a" * 196 + "/tags/list")
    assert refused.status == 400 and refused.code() == "NAME_INVALID"


def test_tag_of_128_characters(alice, pushed):
    data = next(iter(pushed.manifests.values()))
    assert oci.put_manifest(alice, "team/app", "t" * 128, data, IMAGE).status == 201
    assert oci.put_manifest(alice, "team/app", "t" * 129, data, IMAGE).status == 400
    for tag in ("-a", ".a", "a:b", "a%20b", "%C3%A9"):
        assert oci.put_manifest(alice, "team/app", tag, data, IMAGE).status == 400, tag


def test_blob_of_the_size_limit(alice):
    limit = 1 << 20
    exact = os.urandom(limit)
    for way in oci.PUSHES.values():
        assert way(alice, "team/big", oci.digest(exact), exact).status == 201
        assert alice.delete(f"/v2/team/big/blobs/{oci.digest(exact)}").status == 202
    past = exact + b"x"
    for way in (oci.post_put, oci.post_only):
        assert way(alice, "team/big", oci.digest(past), past).status == 413
    # In parts, and without a length.
    location = oci.begin(alice, "team/big")
    assert oci.chunk(alice, location, past, 0, limit - 1).status == 202
    assert oci.chunk(alice, location, past, limit, limit).status == 413
    assert alice.delete(location).status == 204
    location = oci.begin(alice, "team/big")
    pieces = lambda: iter([past[:65536]] * 16 + [b"x"])  # noqa: E731
    assert alice.request("PATCH", location, pieces, {"Transfer-Encoding": "chunked"}).status == 413
    assert alice.delete(location).status == 204


def test_uploads_of_one_user_at_once(alice):
    open_ones = [oci.begin(alice, "team/many") for _ in range(5 - left_over(alice))]
    refused = alice.request("POST", "/v2/team/many/blobs/uploads/")
    assert refused.status == 429 and refused.code() == "TOOMANYREQUESTS"
    assert int(refused.header("Retry-After")) > 0
    assert alice.delete(open_ones.pop()).status == 204
    open_ones.append(oci.begin(alice, "team/many"))
    for location in open_ones:
        assert alice.delete(location).status == 204


def left_over(client) -> int:
    """Uploads that refused pushes left behind."""
    begun = []
    while (reply := client.request("POST", "/v2/team/count/blobs/uploads/")).status == 202:
        begun.append(reply.header("Location"))
    for location in begun:
        assert client.delete(location).status == 204
    return 5 - len(begun)


def index_of(entries: int, child: dict) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child] * entries}).encode()


def test_descriptors_of_one_manifest(alice, pushed):
    dig, data = next(iter(pushed.manifests.items()))
    child = {"mediaType": IMAGE, "digest": dig, "size": len(data)}
    assert oci.put_manifest(alice, "team/app", "full", index_of(10_000, child), INDEX).status == 201
    past = oci.put_manifest(alice, "team/app", "past", index_of(10_001, child), INDEX)
    assert past.status == 400 and past.code() == "MANIFEST_INVALID"


def test_depth_of_json(alice):
    def nested(depth: int) -> bytes:  # the index itself is the first level
        return (f'{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[],"x":'
                + "[" * (depth - 1) + "]" * (depth - 1) + "}").encode()

    assert oci.put_manifest(alice, "team/app", "deep", nested(64), INDEX).status == 201
    assert oci.put_manifest(alice, "team/app", "deeper", nested(65), INDEX).status == 400
    assert oci.put_manifest(alice, "team/app", "deepest", nested(100_000), INDEX).status == 400


def test_a_page_is_1000_at_most(alice, pushed):
    dig, data = next(iter(pushed.manifests.items()))
    oci.push(alice, "team/pages", Content(blobs=pushed.blobs))
    for at in range(0, 1024, 32):
        tags = [f"p{i:04}" for i in range(at, at + 32)]
        assert oci.put_manifest(alice, "team/pages", dig, data, IMAGE, tags).status == 201
    for n, length in ((999, 999), (1000, 1000), (1001, 1000), (2**63, 1000), (2**64, 1000)):
        page = alice.get(f"/v2/team/pages/tags/list?n={n}")
        assert len(page.json()["tags"]) == length and page.header("Link"), n


def test_headers_of_32_kib(registry):
    def ask(size: int) -> bytes:
        head = b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX: "
        with socket.create_connection(("127.0.0.1", registry.port)) as client:
            client.settimeout(10)
            client.sendall(head + b"a" * (size - len(head) - 4) + b"\r\n\r\n")
            return client.recv(4096)[:12]

    assert ask(31 * 1024) == b"HTTP/1.1 401"
    assert ask(33 * 1024) == b"HTTP/1.1 431"


def start_put(registry, client, length: int) -> socket.socket:
    path = oci.closing(oci.begin(client, "team/slow"), oci.digest(b"x" * length))
    token = client.token("repository:team/slow:pull,push")
    connection = socket.create_connection(("127.0.0.1", registry.port))
    connection.settimeout(20)
    connection.sendall((f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                        f"Content-Length: {length}\r\n\r\n").encode())
    return connection


def test_an_upload_that_stands_still_is_cut_and_a_slow_one_is_not(registry, alice):
    began = time.monotonic()
    with start_put(registry, alice, 100) as still:
        still.sendall(b"x" * 10)
        answer = still.recv(4096)
        assert not answer.startswith(b"HTTP/1.1 201") and time.monotonic() - began < 10
    # Twice the idle time in all, but never without a byte for so long.
    with start_put(registry, alice, 8) as slow:
        for _ in range(8):
            time.sleep(0.25)
            slow.sendall(b"x")
        assert slow.recv(4096).startswith(b"HTTP/1.1 201")


def read_slowly(registry, client, digest: str, step: int, window: int, seconds: float) -> int:
    """Takes `step` bytes every 50 ms for so long, then what is left at once. How many came in all."""
    token = client.token("repository:team/read:pull")
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        raw.settimeout(20)
        raw.connect(("127.0.0.1", registry.port))
        with ssl.create_default_context(cafile=str(registry.ca)).wrap_socket(raw, server_hostname="127.0.0.1") as reader:
            reader.sendall((f"GET /v2/team/read/blobs/{digest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            f"Authorization: Bearer {token}\r\n\r\n").encode())
            came, slow_until = 0, time.monotonic() + seconds
            try:
                while data := reader.recv(step):
                    came += len(data)
                    if time.monotonic() < slow_until:
                        time.sleep(0.05)
            except OSError:  # a reset, or an end without the peer's goodbye
                pass
            return came


def test_a_reader_that_takes_too_little_is_cut_and_a_slow_one_is_not(tmp_path):
    limits = '[registry.limits]\nupload_min_rate = "64KiB/s"\nupload_min_rate_span = "2s"\n'
    blob = bytes(32 << 20)
    digest = oci.digest(blob)
    with Registry(tmp_path, tls=True, tables=limits) as registry:
        client = registry.client("alice")
        assert oci.post_put(client, "team/read", digest, blob).status == 201
        # One that was not cut for five spans would get all the rest at the end.
        assert read_slowly(registry, client, digest, 200, 4 << 10, 10) < len(blob)
        assert read_slowly(registry, client, digest, 16 << 10, 128 << 10, 10) > len(blob)
