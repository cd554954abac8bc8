"""What several tests of the distribution API check or begin with."""
from . import oci
from .oci import Content, LAYER

ALGORITHMS = ["sha256", "sha512"]
EXAMPLE_1, EXAMPLE_2 = "application/vnd.example.1+json", "application/vnd.example.2+json"


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


def small(client, repo):
    content = Content()
    content.image("v1")
    oci.push(client, repo, content)
    return content


def foreign_layers(c: Content):
    kinds = (LAYER.replace("layer", "layer.nondistributable") + "+gzip",
             LAYER.replace("layer", "layer.nondistributable"))
    away = [{"mediaType": k, "digest": oci.digest(k.encode(), c.algorithm), "size": 12345,
             "urls": ["https://store.example.com/blob"]} for k in kinds]
    c.image("foreign", layer_list=[*away, c.layer()])
