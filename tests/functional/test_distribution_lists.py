"""The distribution API's lists, deletions, and what is no part of it."""
import json

import pytest

from framework import oci
from framework.oci import Content, IMAGE, INDEX
from framework.oci_checks import EXAMPLE_1, EXAMPLE_2, small


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
