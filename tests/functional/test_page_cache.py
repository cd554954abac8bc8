"""A pull leaves the node's page cache to others: blobs hold their share of it and no more."""
import hashlib
import subprocess
import urllib.request
from pathlib import Path

import pytest

from framework.cluster import Cluster, Role
from framework.image import make_image
from framework.skopeo import Skopeo

MIB = 1 << 20
SHARE = 16 * MIB
AHEAD = 8 * MIB  # what the kernel may read beyond what it is asked for


def cached(path: Path) -> int:
    """Bytes of a file that are in memory."""
    out = subprocess.run(["fincore", "-b", "-n", "-o", "RES", path], check=True, capture_output=True, text=True)
    return int(out.stdout)


def take(agent: Role, digest: str, size: int) -> Path:
    """Pulls a blob, and checks it; its file in the cache."""
    url = f"http://{agent.endpoints['mirror']}/v2/lab/big/blobs/{digest}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        body = answer.read()
    assert len(body) == size and f"sha256:{hashlib.sha256(body).hexdigest()}" == digest
    return agent.config.parent / "data" / "cache" / "complete" / digest.removeprefix("sha256:")


def test_blobs_hold_their_share_of_it_and_are_served_from_the_disk_beyond(workdir):
    kind = subprocess.run(["stat", "-f", "-c", "%T", workdir], check=True, capture_output=True, text=True).stdout
    if kind.strip() == "tmpfs":
        pytest.skip("what lies in a memory file system cannot leave memory")
    with Cluster(workdir / "c", agents_wanted=2, agent_extra='page_cache = "16MiB"') as c:
        image = make_image(workdir / "img", [64 * MIB], "pages")
        Skopeo(workdir / "skopeo", c.ca, c.user, c.password, c.host).push(image.layout, c.ref("lab/big:1"))
        blob = image.blobs[2]
        first, second = c.agents
        file = take(first, *blob)
        assert SHARE / 2 <= cached(file) <= SHARE, "once it has come"
        take(first, *blob)
        assert cached(file) <= SHARE + AHEAD, "once it was given out again"
        manifest = f"http://{second.endpoints['mirror']}/v2/lab/big/manifests/1"
        urllib.request.urlopen(manifest, timeout=20).read()  # its token: the registry is about to go
        c.registry.kill()
        assert cached(take(second, *blob)) <= SHARE
        assert second.status()[0]["bytes"]["peers"] == blob[1]
        assert cached(file) <= SHARE + AHEAD, "once a neighbour had it"
