"""Blobs, manifests and indexes made at random, and the ways to push them."""
import hashlib
import json
import os
from dataclasses import dataclass, field

from .registry import Client, Reply

OCTETS = "application/octet-stream"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def digest(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


@dataclass
class Content:
    """What one test pushes: in `manifests` children stand before what names them."""
    algorithm: str = "sha256"
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def descriptor(self, media_type: str, data: bytes, **more) -> dict:
        return {"mediaType": media_type, "digest": digest(data, self.algorithm), "size": len(data), **more}

    def blob(self, data: bytes | None = None, size: int = 512) -> str:
        data = os.urandom(size) if data is None else data
        self.blobs[digest(data, self.algorithm)] = data
        return digest(data, self.algorithm)

    def layer(self, media_type: str = LAYER, data: bytes | None = None) -> dict:
        data = os.urandom(512) if data is None else data
        self.blob(data)
        return self.descriptor(media_type, data)

    def manifest(self, body: dict, tag: str | None = None, indent: int | None = None) -> dict:
        """Adds a manifest; returns its descriptor."""
        data = json.dumps(body, indent=indent).encode()
        found = self.descriptor(body["mediaType"], data)
        self.manifests[found["digest"]] = data
        self.types[found["digest"]] = body["mediaType"]
        if tag:
            self.tags[tag] = found["digest"]
        if "artifactType" in body:
            found["artifactType"] = body["artifactType"]
        return found

    def image(self, tag: str | None = None, layers: int = 3, config: tuple[str, bytes] | None = None,
              layer_list: list[dict] | None = None, media_type: str = IMAGE, **more) -> dict:
        kind, data = config or (CONFIG, json.dumps(
            {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
             "x": os.urandom(8).hex()}).encode())
        self.blob(data)
        listed = [self.layer() for _ in range(layers)] if layer_list is None else layer_list
        return self.manifest({"schemaVersion": 2, "mediaType": media_type,
                              "config": self.descriptor(kind, data), "layers": listed, **more}, tag)

    def artifact(self, artifact_type: str, tag: str | None = None, **more) -> dict:
        return self.image(tag, config=(EMPTY, b"{}"), layer_list=[self.layer(artifact_type)],
                          artifactType=artifact_type, **more)

    def index(self, children: list[dict], tag: str | None = None, media_type: str = INDEX, **more) -> dict:
        return self.manifest({"schemaVersion": 2, "mediaType": media_type, "manifests": children, **more},
                             tag)


def begin(client: Client, repo: str, query: str = "") -> str:
    reply = client.request("POST", f"/v2/{repo}/blobs/uploads/{query}")
    assert reply.status == 202, reply
    assert reply.header("Location").startswith("/"), reply
    return reply.header("Location")


def closing(location: str, dig: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={dig}"


def post_put(client: Client, repo: str, dig: str, data: bytes) -> Reply:
    return client.request("PUT", closing(begin(client, repo), dig), data, {"Content-Type": OCTETS})


def post_only(client: Client, repo: str, dig: str, data: bytes) -> Reply:
    return client.request("POST", f"/v2/{repo}/blobs/uploads/?digest={dig}", data, {"Content-Type": OCTETS})


def stream(client: Client, repo: str, dig: str, data: bytes) -> Reply:
    """As docker does: one PATCH of unknown length, then an empty PUT."""
    parts = [data[i:i + 4096] for i in range(0, len(data), 4096)]
    patched = client.request("PATCH", begin(client, repo), lambda: iter(parts),
                             {"Content-Type": OCTETS, "Transfer-Encoding": "chunked"})
    assert patched.status == 202, patched
    return client.request("PUT", closing(patched.header("Location"), dig), b"")


def chunk(client: Client, location: str, data: bytes, first: int, last: int, method: str = "PATCH") -> Reply:
    return client.request(method, location, data[first:last + 1],
                          {"Content-Type": OCTETS, "Content-Range": f"{first}-{last}"})


def chunked(client: Client, repo: str, dig: str, data: bytes, pieces: int = 3, put_last: bool = False,
            out_of_order: bool = False) -> Reply:
    """Chunks with Content-Range; with `out_of_order` a wrong one is tried before each right one."""
    location, size = begin(client, repo), max(1, -(-len(data) // pieces))
    done = -1
    while done < len(data) - 1:
        first, last = done + 1, min(done + size, len(data) - 1)
        if out_of_order:
            wrong = first + size if first + size < len(data) else 0
            wrong_last = min(wrong + size - 1, len(data) - 1)
            closes = put_last and wrong_last == len(data) - 1
            target = closing(location, dig) if closes else location
            refused = chunk(client, target, data, wrong, wrong_last, "PUT" if closes else "PATCH")
            assert refused.status == 416, refused
            status = client.get(location)
            assert status.status == 204, status
            assert status.header("Range") == f"0-{max(done, 0)}", status
            location = status.header("Location")
        if put_last and last == len(data) - 1:
            return chunk(client, closing(location, dig), data, first, last, "PUT")
        taken = chunk(client, location, data, first, last)
        assert taken.status == 202, taken
        assert taken.header("Range") == f"0-{last}", taken
        location, done = taken.header("Location"), last
    return client.request("PUT", closing(location, dig), b"")


PUSHES = {"post-put": post_put, "post-only": post_only, "stream": stream, "chunked": chunked}


def put_manifest(client: Client, repo: str, reference: str, data: bytes, media_type: str,
                 tags: list[str] = ()) -> Reply:
    query = "?" + "&".join(f"tag={t}" for t in tags) if tags else ""
    return client.request("PUT", f"/v2/{repo}/manifests/{reference}{query}", data,
                          {"Content-Type": media_type})


def push(client: Client, repo: str, content: Content) -> None:
    """All of it, without looking at more than the status."""
    for dig, data in content.blobs.items():
        reply = post_put(client, repo, dig, data)
        assert reply.status == 201, reply
    for dig, data in content.manifests.items():
        reply = put_manifest(client, repo, dig, data, content.types[dig])
        assert reply.status == 201, reply
    for tag, dig in content.tags.items():
        reply = put_manifest(client, repo, tag, content.manifests[dig], content.types[dig])
        assert reply.status == 201, reply
