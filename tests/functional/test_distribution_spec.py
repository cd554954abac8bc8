"""The distribution API by section of the OCI distribution-spec, as a stranger sees it.

The cases follow the list of the official conformance program (profile 1.1 and what its next
version adds: digest headers, cancelled uploads, tag parameters); data sets go through push, list,
head, pull, referrers and delete as a whole.
"""
import itertools
import json
import os

import pytest

from framework import oci
from framework.oci import Content, DOCKER, DOCKER_LIST, EMPTY, IMAGE, INDEX, LAYER
from framework.registry import Registry

ALGORITHMS = ["sha256", "sha512"]
EXAMPLE_1, EXAMPLE_2 = "application/vnd.example.1+json", "application/vnd.example.2+json"
names = itertools.count()


@pytest.fixture
def repo():
    return f"conf/r{next(names)}"


def check_pull(client, repo, dig, data):
    head = client.head(f"/v2/{repo}/blobs/{dig}")
    assert head.status == 200 and head.body == b"", head
    assert head.header("Content-Length") == str(len(data)), head
    assert head.header("Docker-Content-Digest") == dig, head
    got = client.get(f"/v2/{repo}/blobs/{dig}")
    assert (got.status, got.body) == (200, data), got
    assert got.header("Docker-Content-Digest") == dig and got.header("Content-Length") == str(len(data)), got


def check_blob_delete(client, repo, dig):
    assert client.delete(f"/v2/{repo}/blobs/{dig}").status == 202
    assert client.head(f"/v2/{repo}/blobs/{dig}").status == 404
    assert client.delete(f"/v2/{repo}/blobs/{dig}").status == 404


# Section: Determining support

def test_ping(alice):
    reply = alice.get("/v2/")
    assert reply.status == 200 and reply.header("Docker-Distribution-Api-Version") == "registry/2.0"


# Section: Pulling, of what is not there

def test_repository_that_is_not_there(alice, repo):
    assert alice.get(f"/v2/{repo}/tags/list").status in (200, 404)
    none = alice.get(f"/v2/{repo}/referrers/{oci.digest(os.urandom(9))}")
    assert none.status == 200 and none.header("Content-Type") == INDEX, none
    assert none.json() == {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_missing_content_is_404(alice, repo, algorithm):
    dig = oci.digest(os.urandom(9), algorithm)
    for path in (f"blobs/{dig}", f"manifests/{dig}", "manifests/missing"):
        reply = alice.get(f"/v2/{repo}/{path}")
        assert reply.status == 404 and reply.code() in ("BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN")
        assert alice.head(f"/v2/{repo}/{path}").status == 404


@pytest.mark.parametrize("bad", ["sha256:baddigeststring", "sha256:" + "A" * 64, "sha256:" + "a" * 63,
                                 "sha512:" + "a" * 64, "md5:" + "a" * 32, "sha256:", ":", "sha256:../../x"])
def test_malformed_digest_is_refused_and_never_an_error_of_ours(alice, repo, bad):
    content = Content()
    content.image(layers=1)
    for dig, data in content.blobs.items():
        assert oci.post_put(alice, repo, dig, data).status == 201
    body = next(iter(content.manifests.values()))
    assert oci.put_manifest(alice, repo, bad, body, IMAGE).status in (400, 404)
    for kind in ("manifests", "blobs"):
        assert alice.get(f"/v2/{repo}/{kind}/{bad}").status in (400, 404)
        assert alice.delete(f"/v2/{repo}/{kind}/{bad}").status in (400, 404)
    location = oci.begin(alice, repo)
    assert alice.request("PUT", oci.closing(location, bad), b"").status == 400


# Section: Pushing blobs

@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("way", oci.PUSHES)
@pytest.mark.parametrize("size", [0, 2, 512, 100_003])
def test_push_of_a_blob(alice, repo, way, algorithm, size):
    data = b"{}" if size == 2 else os.urandom(size)
    dig = oci.digest(data, algorithm)
    done = oci.PUSHES[way](alice, repo, dig, data)
    assert done.status == 201, done
    assert done.header("Docker-Content-Digest") == dig, done
    assert alice.get(done.header("Location")).body == data
    check_pull(alice, repo, dig, data)
    check_blob_delete(alice, repo, dig)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("put_last", [False, True])
@pytest.mark.parametrize("out_of_order", [False, True])
def test_push_in_chunks(alice, repo, algorithm, put_last, out_of_order):
    data = os.urandom(3 * 1024 - 5)
    dig = oci.digest(data, algorithm)
    done = oci.chunked(alice, repo, dig, data, 3, put_last, out_of_order)
    assert done.status == 201, done
    check_pull(alice, repo, dig, data)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("way", [*oci.PUSHES, "put-last"])
def test_push_with_another_digest_is_400_and_stores_nothing(alice, repo, way, algorithm):
    data = os.urandom(3 * 1024 - 5)
    dig = oci.digest(data, algorithm)
    wrong = data + b"oh no"
    if way == "put-last":
        reply = oci.chunked(alice, repo, dig, wrong, 3, put_last=True)
    else:
        reply = oci.PUSHES[way](alice, repo, dig, wrong)
    assert reply.status == 400 and reply.code() == "DIGEST_INVALID", reply
    assert alice.head(f"/v2/{repo}/blobs/{dig}").status == 404


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_post_may_name_the_digest_algorithm(alice, repo, algorithm):
    data = os.urandom(999)
    location = oci.begin(alice, repo, f"?digest-algorithm={algorithm}")
    assert alice.request("PUT", oci.closing(location, oci.digest(data, algorithm)), data).status == 201
    # What the client named first binds nobody.
    other = "sha512" if algorithm == "sha256" else "sha256"
    location = oci.begin(alice, repo, f"?digest-algorithm={algorithm}")
    assert alice.request("PUT", oci.closing(location, oci.digest(data, other)), data).status == 201
    refused = alice.request("POST", f"/v2/{repo}/blobs/uploads/?digest-algorithm=md5")
    assert refused.status == 400, refused


def test_upload_goes_on_where_it_broke_off(alice, repo):
    data = os.urandom(20_000)
    location = oci.begin(alice, repo)
    assert oci.chunk(alice, location, data, 0, 9_999).status == 202
    # A second connection finds the state and goes on.
    again = alice.registry.client("alice")
    status = again.get(location)
    assert (status.status, status.header("Range")) == (204, "0-9999")
    assert status.header("Docker-Upload-UUID") in status.header("Location")
    assert oci.chunk(again, status.header("Location"), data, 10_000, 19_999).status == 202
    assert again.request("PUT", oci.closing(location, oci.digest(data)), b"").status == 201


def test_chunk_whose_length_is_not_its_range_is_refused(alice, repo):
    location = oci.begin(alice, repo)
    for text in ("0-9", "5-3", "a-b", "0-", "-5", "0-5,6-9"):
        reply = alice.request("PATCH", location, b"0123", {"Content-Range": text})
        assert reply.status in (400, 416), (text, reply)
    assert alice.get(location).header("Range") == "0-0"


def test_cancelled_upload_is_gone(alice, repo):
    location = oci.begin(alice, repo)
    cancelled = alice.delete(location)
    assert cancelled.status == 204 and cancelled.body == b""
    for reply in (alice.get(location), alice.delete(location), alice.request("PATCH", location, b"x"),
                  alice.request("PUT", oci.closing(location, oci.digest(b"x")), b"x")):
        assert reply.status == 404 and reply.code() == "BLOB_UPLOAD_UNKNOWN", reply


def test_upload_of_another_repository_or_user_is_not_found(registry, alice, repo):
    location = oci.begin(alice, repo)
    assert alice.get(location.replace(repo, repo + "x")).status == 404
    assert registry.client("carol").get(location).status in (401, 404)


# Section: Mounting a blob from another repository

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_mount(alice, repo, algorithm):
    data = os.urandom(512)
    dig = oci.digest(data, algorithm)
    assert oci.post_put(alice, repo + "-from", dig, data).status == 201
    done = alice.request("POST", f"/v2/{repo}/blobs/uploads/?mount={dig}&from={repo}-from")
    assert done.status == 201 and done.header("Docker-Content-Digest") == dig, done
    assert alice.get(done.header("Location")).body == data
    check_pull(alice, repo, dig, data)
    check_blob_delete(alice, repo, dig)
    check_pull(alice, repo + "-from", dig, data)


def test_mount_without_a_source_looks_where_the_caller_may_read(alice, repo):
    data = os.urandom(512)
    dig = oci.digest(data)
    assert oci.post_put(alice, repo + "-from", dig, data).status == 201
    path = f"/v2/{repo}/blobs/uploads/?mount={dig}"
    # The token speaks of the target alone: the source stays unknown.
    assert alice.request("POST", path, scope=f"repository:{repo}:pull,push").status == 202
    wide = f"repository:{repo}:pull,push repository:{repo}-from:pull"
    assert alice.request("POST", path, scope=wide).status == 201
    check_pull(alice, repo, dig, data)


def test_mount_without_a_source_finds_what_everyone_may_read(alice, repo):
    data = os.urandom(512)
    dig = oci.digest(data)
    assert oci.post_put(alice, f"public/{repo}", dig, data).status == 201
    done = alice.request("POST", f"/v2/{repo}/blobs/uploads/?mount={dig}")
    assert done.status == 201, done
    check_pull(alice, repo, dig, data)


@pytest.mark.parametrize("query", ["&from={0}-from", "&from=", "", "&from=..%2Fx", "&from=UPPER"])
def test_mount_of_what_is_not_there_begins_an_upload(alice, repo, query):
    data = os.urandom(512)
    dig = oci.digest(data)
    begun = alice.request("POST", f"/v2/{repo}/blobs/uploads/?mount={dig}{query.format(repo)}")
    assert begun.status == 202, begun
    assert alice.request("PUT", oci.closing(begun.header("Location"), dig), data).status == 201


# Section: Pulling blobs, range requests

@pytest.mark.parametrize("asked,first,last", [("500-1499", 500, 1499), ("500-", 500, 2047),
                                              ("-500", 1548, 2047), ("2000-5000", 2000, 2047),
                                              ("0-0", 0, 0), ("-5000", 0, 2047), ("2047-", 2047, 2047)])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_range(alice, repo, asked, first, last, algorithm):
    data = os.urandom(2048)
    dig = oci.digest(data, algorithm)
    assert oci.post_put(alice, repo, dig, data).status == 201
    got = alice.get(f"/v2/{repo}/blobs/{dig}", Range=f"bytes={asked}")
    assert got.status == 206 and got.body == data[first:last + 1], got
    assert got.header("Content-Range") == f"bytes {first}-{last}/2048"
    assert got.header("Content-Length") == str(last + 1 - first)


@pytest.mark.parametrize("asked", ["500-0", "5000-10000", "2048-", "-0"])
def test_range_that_cannot_be_satisfied_is_416(alice, repo, asked):
    data = os.urandom(2048)
    assert oci.post_put(alice, repo, oci.digest(data), data).status == 201
    got = alice.get(f"/v2/{repo}/blobs/{oci.digest(data)}", Range=f"bytes={asked}")
    assert got.status == 416 and got.header("Content-Range") == "bytes */2048", got


# Section: Pulling manifests, conditional requests

@pytest.mark.parametrize("kind", ["manifests", "blobs"])
def test_what_the_client_has_is_304(alice, repo, kind):
    content = Content()
    dig = content.image("v1")["digest"]
    oci.push(alice, repo, content)
    if kind == "blobs":
        dig = next(iter(content.blobs))
    got = alice.get(f"/v2/{repo}/{kind}/{dig}")
    for etag in (got.header("ETag"), f'"x", {got.header("ETag")}', dig, "*"):
        same = alice.get(f"/v2/{repo}/{kind}/{dig}", If_None_Match=etag)
        assert (same.status, same.body) == (304, b""), same
        assert same.header("ETag") == got.header("ETag") and same.header("Docker-Content-Digest") == dig
    assert alice.get(f"/v2/{repo}/{kind}/{dig}", If_None_Match='"sha256:0"').status == 200


# Data sets: push, list, head, pull, referrers, delete

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


def foreign_layers(c: Content):
    kinds = (LAYER.replace("layer", "layer.nondistributable") + "+gzip",
             LAYER.replace("layer", "layer.nondistributable"))
    away = [{"mediaType": k, "digest": oci.digest(k.encode(), c.algorithm), "size": 12345,
             "urls": ["https://store.example.com/blob"]} for k in kinds]
    c.image("foreign", layer_list=[*away, c.layer()])


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


# Section: Pushing manifests, what is refused

def small(client, repo):
    content = Content()
    content.image("v1")
    oci.push(client, repo, content)
    return content


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_manifest_of_another_digest_is_400(alice, repo, algorithm):
    content = Content(algorithm)
    content.image()
    for dig, data in content.blobs.items():
        assert oci.post_put(alice, repo, dig, data).status == 201
    dig, data = next(iter(content.manifests.items()))
    reply = oci.put_manifest(alice, repo, dig, data + b"  ", IMAGE)
    assert reply.status == 400 and reply.code() == "DIGEST_INVALID", reply
    assert alice.head(f"/v2/{repo}/manifests/{dig}").status == 404


def test_manifest_whose_blob_is_missing_is_refused(alice, repo):
    content = Content()
    content.image()
    dig, data = next(iter(content.manifests.items()))
    reply = oci.put_manifest(alice, repo, "v1", data, IMAGE)
    assert reply.status in (400, 404) and reply.code() == "MANIFEST_BLOB_UNKNOWN", reply


def test_index_whose_child_is_missing_is_refused(alice, repo):
    content = Content()
    content.index([content.image()])
    data = list(content.manifests.values())[-1]
    reply = oci.put_manifest(alice, repo, "v1", data, INDEX)
    assert reply.code() == "MANIFEST_BLOB_UNKNOWN", reply


def test_tag_parameters_have_a_limit_and_a_form(alice, repo):
    content = small(alice, repo)
    dig, data = next(iter(content.manifests.items()))
    assert oci.put_manifest(alice, repo, dig, data, IMAGE, [f"t{i}" for i in range(32)]).status == 201
    assert oci.put_manifest(alice, repo, dig, data, IMAGE, [f"u{i}" for i in range(33)]).status == 414
    assert oci.put_manifest(alice, repo, dig, data, IMAGE, ["fine", "-bad"]).status == 400
    tags = alice.get(f"/v2/{repo}/tags/list").json()["tags"]
    assert "t31" in tags and "u0" not in tags and "fine" not in tags


def test_manifest_may_be_pushed_again_and_its_tag_moved(alice, repo):
    first, second = small(alice, repo), small(alice, repo)
    now = alice.head(f"/v2/{repo}/manifests/v1").header("Docker-Content-Digest")
    assert now == second.tags["v1"] != first.tags["v1"]
    assert alice.head(f"/v2/{repo}/manifests/{first.tags['v1']}").status == 200


# Section: Warnings

def test_what_is_deprecated_is_taken_with_a_warning(alice, repo):
    content = Content()
    foreign_layers(content)
    for dig, data in content.blobs.items():
        assert oci.post_put(alice, repo, dig, data).status == 201
    dig, data = next(iter(content.manifests.items()))
    warning = oci.put_manifest(alice, repo, "v1", data, IMAGE).header("Warning")
    assert warning.startswith('299 - "') and warning.endswith('"') and "fetched from elsewhere" in warning
    body = json.loads(data)
    del body["mediaType"]
    both = oci.put_manifest(alice, repo, "v2", json.dumps(body).encode(), IMAGE)
    assert len(both.headers.get_all("Warning")) == 2
    content = Content()
    content.image()
    oci.push(alice, repo, content)
    dig, data = next(iter(content.manifests.items()))
    assert not oci.put_manifest(alice, repo, dig, data, IMAGE).header("Warning")


# Section: Pushing manifests, sparse ones as configured

@pytest.mark.parametrize("may_miss,children,blobs", [("none", 400, 400), ("children", 201, 400), ("any", 201, 201)])
def test_sparse_content_as_configured(tmp_path, may_miss, children, blobs):
    with Registry(tmp_path / "r", extra=f'missing_content = "{may_miss}"') as registry:
        client = registry.client("alice")
        content = Content()
        content.index([content.image(layers=0)], "sparse")
        absent, listed = content.manifests.items()
        assert oci.put_manifest(client, "conf/a", listed[0], listed[1], INDEX).status == children
        assert oci.put_manifest(client, "conf/a", absent[0], absent[1], IMAGE).status == blobs
        assert client.get(f"/v2/conf/a/manifests/{listed[0]}").status == (200 if children == 201 else 404)


# Section: Content discovery

@pytest.fixture(scope="module")
def many_tags(alice):
    repo = "conf/many"
    content = Content()
    dig = content.image()["digest"]
    oci.push(alice, repo, content)
    tags = [f"t{i:03}" for i in range(205)]
    for at in range(0, len(tags), 32):
        reply = oci.put_manifest(alice, repo, dig, content.manifests[dig], IMAGE, tags[at:at + 32])
        assert reply.status == 201, reply
    return repo, tags


def follow(client, path, key):
    pages = []
    while path:
        reply = client.get(path)
        assert reply.status == 200, reply
        pages.append(reply.json()[key])
        link = reply.header("Link")
        assert not link or link.endswith('; rel="next"') and link.startswith("</v2/"), link
        path = link[1:link.index(">")] if link else ""
    return pages


@pytest.mark.parametrize("n,sizes", [("", [100, 100, 5]), ("n=100", [100, 100, 5]), ("n=205", [205]),
                                     ("n=1000", [205]), ("n=999999999999", [205]), ("n=41", [41] * 5),
                                     ("n=204", [204, 1])])
def test_tag_list_pages(alice, many_tags, n, sizes):
    repo, tags = many_tags
    pages = follow(alice, f"/v2/{repo}/tags/list?{n}", "tags")
    assert [len(p) for p in pages] == sizes and sum(pages, []) == tags


def test_tag_list_edges(alice, many_tags):
    repo, tags = many_tags
    none = alice.get(f"/v2/{repo}/tags/list?n=0")
    assert none.json()["tags"] == [] and not none.header("Link")
    past = alice.get(f"/v2/{repo}/tags/list?last=zzz")
    assert past.status == 200 and past.json()["tags"] == [] and not past.header("Link")
    # "last" need not be a tag that exists.
    assert alice.get(f"/v2/{repo}/tags/list?n=2&last=t1000").json()["tags"] == ["t101", "t102"]


def test_catalog_pages(alice, registry, many_tags):
    pages = follow(alice, "/v2/_catalog?n=1", "repositories")
    listed = sum(pages, [])
    assert listed == sorted(listed) and many_tags[0] in listed
    assert registry.client("bob").get("/v2/_catalog").status == 401
    assert registry.client(None).get("/v2/_catalog").status == 401


def test_referrers_come_in_pages(alice, repo):
    content = Content()
    subject = content.image("v1")
    oci.push(alice, repo, content)
    note = "x" * 100_000  # 45 of them are more than the 4 MiB of one answer
    for i in range(45):
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": subject,
                           "artifactType": EXAMPLE_1 if i % 3 else EXAMPLE_2,
                           "annotations": {"n": str(i), "note": note}}).encode()
        assert oci.put_manifest(alice, repo, oci.digest(body), body, INDEX).status == 201
    path = f"/v2/{repo}/referrers/{subject['digest']}"
    pages = follow(alice, path, "manifests")
    assert len(pages) > 1 and sorted(int(m["annotations"]["n"]) for m in sum(pages, [])) == list(range(45))
    assert len(alice.get(path).body) <= 4 << 20
    some = sum(follow(alice, f"{path}?artifactType={EXAMPLE_1.replace('+', '%2B')}", "manifests"), [])
    assert len(some) == 30 and {m["artifactType"] for m in some} == {EXAMPLE_1}


def test_fallback_tag_of_clients_lives_beside_the_referrers(alice, repo):
    """A client that knows no referrers API keeps an index at the tag sha256-<hex>; what it lists
    stays in both, and goes from the API with its manifest."""
    content = Content()
    subject = content.image("v1")
    signature = content.artifact(EXAMPLE_1, subject=subject)
    fallback = "sha256-" + subject["digest"].split(":")[1]
    content.index([signature], fallback)
    oci.push(alice, repo, content)
    path = f"/v2/{repo}/referrers/{subject['digest']}"
    assert [m["digest"] for m in alice.get(path).json()["manifests"]] == [signature["digest"]]
    assert alice.get(f"/v2/{repo}/manifests/{fallback}").json()["manifests"][0] == signature
    assert alice.delete(f"/v2/{repo}/manifests/{fallback}").status == 202
    assert [m["digest"] for m in alice.get(path).json()["manifests"]] == [signature["digest"]]
    assert alice.delete(f"/v2/{repo}/manifests/{signature['digest']}").status == 202
    assert alice.get(path).json()["manifests"] == []


def test_fallback_tag_follows_the_deletion_of_a_referrer(alice, repo):
    """A client that sees the referrers API leaves the tag alone when it deletes."""
    content = Content()
    subject = content.image("v1")
    first, second = (content.artifact(EXAMPLE_1, subject=subject) for _ in range(2))
    fallback = "sha256-" + subject["digest"].split(":")[1]
    content.index([first, second], fallback)
    oci.push(alice, repo, content)
    assert alice.delete(f"/v2/{repo}/manifests/{first['digest']}").status == 202
    assert alice.get(f"/v2/{repo}/manifests/{fallback}").json()["manifests"] == [second]
    assert alice.delete(f"/v2/{repo}/manifests/{second['digest']}").status == 202
    assert alice.get(f"/v2/{repo}/manifests/{fallback}").status == 404


# Section: Content management

def test_deleted_manifest_takes_its_tags_along(alice, repo):
    content = small(alice, repo)
    assert alice.delete(f"/v2/{repo}/manifests/{content.tags['v1']}").status == 202
    assert alice.head(f"/v2/{repo}/manifests/v1").status == 404
    assert alice.get(f"/v2/{repo}/tags/list").json()["tags"] == []


def test_deleted_tag_leaves_its_manifest(alice, repo):
    content = small(alice, repo)
    assert alice.delete(f"/v2/{repo}/manifests/v1").status == 202
    assert alice.head(f"/v2/{repo}/manifests/{content.tags['v1']}").status == 200


# Section: Error codes

def test_methods_that_are_not_there(alice, repo):
    for method, path in (("POST", "manifests/v1"), ("PATCH", "tags/list"), ("PUT", "blobs/uploads/")):
        reply = alice.request(method, f"/v2/{repo}/{path}", b"")
        assert reply.status == 405 and reply.code() == "UNSUPPORTED" and reply.header("Allow"), reply


@pytest.mark.parametrize("name", ["UPPER", "a..b", "-a", "a//b", "a%2fb%2f..", "a" * 201, "a_", "a/../b"])
def test_bad_names_are_refused(alice, name):
    for path in ("tags/list", "manifests/v1"):
        reply = alice.get(f"/v2/{name}/{path}")
        assert reply.status in (400, 404) and reply.code() in ("NAME_INVALID", "NAME_UNKNOWN"), reply
