"""Sets of content over the distribution API as a whole: push, list, head, pull, referrers, delete."""
import itertools
import json

import pytest

from framework import oci
from framework.oci import Content, DOCKER, DOCKER_LIST, EMPTY, IMAGE, INDEX, LAYER
from framework.oci_checks import ALGORITHMS, EXAMPLE_1, EXAMPLE_2, check_blob_delete, check_pull, foreign_layers


def image(c: Content):
    c.image("image")


def large_manifest(c: Content):
    c.image("large", annotations={f"large-{i}": "A" * 10_000 for i in range(390)})


def index(c: Content):
    c.index([{**c.image(), "platform": {"os": "linux", "architecture": a}} for a in ("amd64", "arm64")],
            "index")


def nested_index(c: Content):
    c.index([c.index([c.image(), c.image()]), c.index([c.image(), c.image()])], "index-of-index")


def empty_index(c: Content):
    c.index([], "empty")


def artifact(c: Content):
    c.artifact(EXAMPLE_1, "artifact")


def artifact_index(c: Content):
    c.index([c.artifact(EXAMPLE_1), c.artifact(EXAMPLE_1)], "artifact-index", artifactType=EXAMPLE_1)


def artifact_without_layers(c: Content):
    c.image("bare", config=(EMPTY, b"{}"), layer_list=[c.layer(EMPTY, b"{}")], artifactType=EXAMPLE_1)


def artifacts_with_subject(c: Content):
    subject = c.image("image")
    c.image(subject=subject)
    for i, kind in enumerate((EXAMPLE_1, EXAMPLE_2)):
        c.artifact(kind, f"tagged-{i}", subject=subject, annotations={"org.example": "hello", "n": str(i)})


def index_with_subject(c: Content):
    subject = c.index([c.image(), c.image()], "index")
    c.index([c.artifact(EXAMPLE_1)], "tagged", subject=subject, artifactType=EXAMPLE_1,
            annotations={"org.example": "hello"})


def missing_subject(c: Content):
    gone = {"mediaType": IMAGE, "size": 123, "digest": oci.digest(b"missing content", c.algorithm)}
    c.artifact(EXAMPLE_1, "tagged", subject=gone, annotations={"org.example": "hello"})


def data_field(c: Content):
    layer = c.layer(data=b"layer bytes")
    c.image("data", layer_list=[{**layer, "data": "bGF5ZXIgYnl0ZXM="}])


def custom_fields(c: Content):
    child = c.image(**{"org.example.unknown": {"b": 1, "a": [None, 1.50, "\u00e9"]}})
    c.index([child], "custom", unknownField="\u2028", annotations={"z": "1", "a": "2"})


def no_layers(c: Content):
    c.image("no-layers", layers=0)


def without_media_type(c: Content):
    c.image("quiet")
    body = json.loads(c.manifests.pop(dig := c.tags.pop("quiet")))
    del body["mediaType"], c.types[dig]
    data = json.dumps(body).encode()
    c.manifests[oci.digest(data, c.algorithm)] = data
    c.types[oci.digest(data, c.algorithm)] = IMAGE
    c.tags["quiet"] = oci.digest(data, c.algorithm)


def docker(c: Content):
    child = c.image(media_type=DOCKER,
                    config=("application/vnd.docker.container.image.v1+json", b'{"docker":1}'),
                    layer_list=[c.layer("application/vnd.docker.image.rootfs.diff.tar.gzip")])
    c.index([{**child, "platform": {"os": "linux", "architecture": "amd64"}}], "docker",
            media_type=DOCKER_LIST)


def docker_foreign_layers(c: Content):
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    c.image("windows", media_type=DOCKER,
            config=("application/vnd.docker.container.image.v1+json", b'{"docker":2}'),
            layer_list=[{"mediaType": kind, "digest": oci.digest(b"base", c.algorithm), "size": 9,
                         "urls": ["https://mcr.example.com/x"]}, c.layer()])


SETS = [image, large_manifest, index, nested_index, empty_index, artifact, artifact_index,
        artifact_without_layers, artifacts_with_subject, index_with_subject, missing_subject, data_field,
        foreign_layers, custom_fields, no_layers, without_media_type, docker, docker_foreign_layers]


def check_put(client, repo, reference, dig, content, tags=()):
    data, kind = content.manifests[dig], content.types[dig]
    done = oci.put_manifest(client, repo, reference, data, kind, tags)
    assert done.status == 201, done
    assert done.header("Docker-Content-Digest") == dig, done
    assert sorted(done.headers.get_all("OCI-Tag", [])) == sorted(tags), done
    subject = json.loads(data).get("subject")
    assert done.header("OCI-Subject") == (subject["digest"] if subject else ""), done
    check_manifest(client, done.header("Location"), dig, content)


def check_manifest(client, path, dig, content):
    data, kind = content.manifests[dig], content.types[dig]
    head, got = client.head(path, Accept=f"{IMAGE}, {INDEX}"), client.get(path)
    assert (head.status, got.status, got.body) == (200, 200, data), got
    for reply in (head, got):
        assert reply.header("Content-Type") == kind and reply.header("Docker-Content-Digest") == dig, reply
        assert reply.header("Content-Length") == str(len(data)), reply


def check_tag_list(client, repo, content):
    listed = client.get(f"/v2/{repo}/tags/list").json()
    assert listed["name"] == repo and listed["tags"] == sorted(content.tags), listed
    half = sorted(content.tags)[:len(content.tags) // 2]
    if half:
        rest = client.get(f"/v2/{repo}/tags/list?last={half[-1]}").json()["tags"]
        assert rest == sorted(content.tags)[len(half):]


def check_referrers(client, repo, content):
    wanted = {}
    for dig, data in content.manifests.items():
        body = json.loads(data)
        if "subject" not in body:
            continue
        entry = {"mediaType": content.types[dig], "digest": dig, "size": len(data)}
        kind = body.get("artifactType") or body.get("config", {}).get("mediaType")
        if kind:
            entry["artifactType"] = kind
        if body.get("annotations"):
            entry["annotations"] = body["annotations"]
        wanted.setdefault(body["subject"]["digest"], []).append(entry)
    for subject, entries in wanted.items():
        path = f"/v2/{repo}/referrers/{subject}"
        reply = client.get(path)
        assert reply.header("Content-Type") == INDEX and reply.header("OCI-Filters-Applied") == "", reply
        by_digest = sorted(entries, key=lambda e: e["digest"])
        assert sorted(reply.json()["manifests"], key=lambda e: e["digest"]) == by_digest
        for kind in {e.get("artifactType", "") for e in entries} - {""} | {"application/none"}:
            some = client.get(f"{path}?artifactType={kind.replace('+', '%2B')}")
            assert some.header("OCI-Filters-Applied") == "artifactType", some
            assert some.json()["manifests"] == [e for e in by_digest if e.get("artifactType") == kind]


def check_delete(client, repo, content):
    for tag in content.tags:
        assert client.delete(f"/v2/{repo}/manifests/{tag}").status == 202
        assert client.head(f"/v2/{repo}/manifests/{tag}").status == 404
    assert client.get(f"/v2/{repo}/tags/list").json()["tags"] == []
    for dig in reversed(content.manifests):
        assert client.delete(f"/v2/{repo}/manifests/{dig}").status == 202
        assert client.head(f"/v2/{repo}/manifests/{dig}").status == 404
        assert client.delete(f"/v2/{repo}/manifests/{dig}").status == 404
    for data in content.manifests.values():
        if subject := json.loads(data).get("subject"):
            assert client.get(f"/v2/{repo}/referrers/{subject['digest']}").json()["manifests"] == []
    for dig in content.blobs:
        check_blob_delete(client, repo, dig)


def run_set(client, repo, content, by_tag=True):
    ways = itertools.cycle(oci.PUSHES.values())
    for dig, data in content.blobs.items():
        assert next(ways)(client, repo, dig, data).status == 201
    for dig in content.manifests:
        tags = [] if by_tag else [t for t, d in content.tags.items() if d == dig]
        check_put(client, repo, dig, dig, content, tags)
    if by_tag:
        for tag, dig in content.tags.items():
            check_put(client, repo, tag, dig, content)
    check_tag_list(client, repo, content)
    for reference, dig in [*content.tags.items(), *((d, d) for d in content.manifests)]:
        check_manifest(client, f"/v2/{repo}/manifests/{reference}", dig, content)
    for dig, data in content.blobs.items():
        check_pull(client, repo, dig, data)
    check_referrers(client, repo, content)
    check_delete(client, repo, content)


@pytest.mark.parametrize("fill", SETS)
def test_set_by_tag(alice, repo, fill):
    content = Content()
    fill(content)
    run_set(alice, repo, content)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("fill", SETS)
def test_set_by_digest_with_tag_parameters(alice, repo, fill, algorithm):
    content = Content(algorithm)
    fill(content)
    for i, dig in enumerate(content.manifests):
        content.tags[f"param-{i}"] = dig
    run_set(alice, repo, content, by_tag=False)
