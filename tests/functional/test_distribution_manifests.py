"""Manifests over the distribution API, one by one: conditions, refusals, warnings, sparse ones."""
import json

import pytest

from framework import oci
from framework.oci import Content, IMAGE, INDEX
from framework.oci_checks import ALGORITHMS, foreign_layers, small
from framework.registry import Registry


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


# Section: Pushing manifests, what is refused


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
