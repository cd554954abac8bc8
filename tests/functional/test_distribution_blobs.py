"""Blobs over the distribution API, by section of the OCI distribution-spec, as a stranger sees them.

The cases follow the list of the official conformance program (profile 1.1 and what its next
version adds: digest headers, cancelled uploads); so do test_distribution_manifests.py, _sets.py and
_lists.py.
"""
import os

import pytest

from framework import oci
from framework.oci import Content, IMAGE, INDEX
from framework.oci_checks import ALGORITHMS, check_blob_delete, check_pull, small


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


@pytest.mark.parametrize("tag", [".leading", "-leading", "a+b", "a" * 129, "%7Ea"])
def test_tag_that_cannot_be_is_not_there_and_cannot_be_pushed(alice, repo, tag):
    content = small(alice, repo)
    reply = alice.get(f"/v2/{repo}/manifests/{tag}")
    assert (reply.status, reply.code()) == (404, "MANIFEST_UNKNOWN"), reply
    assert alice.head(f"/v2/{repo}/manifests/{tag}").status == 404
    assert alice.delete(f"/v2/{repo}/manifests/{tag}").status == 404
    body = next(iter(content.manifests.values()))
    reply = oci.put_manifest(alice, repo, tag, body, IMAGE)
    assert (reply.status, reply.code()) == (400, "MANIFEST_INVALID"), reply


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
