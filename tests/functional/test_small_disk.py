"""An agent whose disk has no room for a blob."""
import hashlib
import os
import subprocess
import urllib.request

import pytest

from framework.cluster import Cluster
from framework.skopeo import Skopeo


@pytest.fixture
def tiny_disk(workdir):
    """12 MiB where the first agent of a cluster in workdir/c keeps its data."""
    at = workdir / "c" / "agent-1" / "data"
    at.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=0700", "tmpfs", at], check=True)
    yield at
    subprocess.run(["umount", at], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_what_does_not_fit_comes_whole_past_the_cache(workdir, tiny_disk, small_image):
    digest, size = small_image.largest
    with Cluster(workdir / "c", agents_wanted=1) as c:
        Skopeo(workdir / "skopeo", c.ca, c.user, c.password, c.host).push(small_image.layout, c.ref("lab/app:1"))
        agent = c.agents[0]
        url = f"http://{agent.endpoints['mirror']}/v2/lab/app/blobs/{digest}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            body = answer.read()
        assert len(body) == size and f"sha256:{hashlib.sha256(body).hexdigest()}" == digest
        assert "disk_full" in agent.log.read_text()
        room = os.statvfs(tiny_disk)
        assert room.f_bfree * room.f_bsize > 11 << 20, "what did not fit left something"
