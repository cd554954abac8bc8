"""kill -9 in the middle of a pull by eight nodes: every pull still ends well."""
import subprocess
import time

import pytest

from framework.cluster import Cluster
from framework.image import make_image
from framework.skopeo import Skopeo, verified_blobs

NODES = 8


def swarm_bytes(c) -> int:
    total = 0
    for agent in c.agents:
        if agent.process.poll() is None:
            total += sum(p["bytes"]["peers"] + p["bytes"]["origin"] for p in agent.status())
    return total


class Pulls:
    """All nodes pull at once; `progress` is what their agents say they have from the swarm."""

    def __init__(self, c, client, ref, workdir):
        self.c = c
        self.targets = [workdir / a.dir.name for a in c.agents]
        self.processes = [
            subprocess.Popen(client.pull_argv(ref, t, mirror=a.endpoints["mirror"]),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for a, t in zip(c.agents, self.targets)]

    def wait_until_swarm_has(self, wanted: int, timeout: float = 60) -> None:
        end = time.monotonic() + timeout
        while swarm_bytes(self.c) < wanted:
            assert time.monotonic() < end, f"the swarm has {swarm_bytes(self.c)} of {wanted} bytes"
            time.sleep(0.02)

    def finish(self, digests, timeout: float, without: set[int] = frozenset()) -> None:
        end = time.monotonic() + timeout
        for i, (p, target) in enumerate(zip(self.processes, self.targets)):
            out, _ = p.communicate(timeout=max(1, end - time.monotonic()))
            if i in without:
                continue
            assert p.returncode == 0, f"node {i + 1}: {out}"
            assert verified_blobs(target, digests) == len(digests)


@pytest.fixture
def crowd(workdir):
    image = make_image(workdir / "img", [48 << 20, 16 << 20], "kill")
    # Slow enough that there is a middle of the pull to kill something in.
    with Cluster(workdir / "c", agents_wanted=NODES, egress="10MB/s") as c:
        client = Skopeo(workdir / "skopeo", c.ca, c.user, c.password, c.host)
        client.push(image.layout, c.ref("lab/app:1"))
        yield c, image, Pulls(c, client, c.ref("lab/app:1"), workdir)


def test_tracker_killed(crowd):
    c, image, pulls = crowd
    pulls.wait_until_swarm_has(image.size)
    c.tracker.kill()
    pulls.finish([d for d, _ in image.blobs], timeout=120)


def test_peer_killed(crowd):
    c, image, pulls = crowd
    pulls.wait_until_swarm_has(image.size)
    c.agents[3].kill()
    pulls.processes[3].kill()
    pulls.finish([d for d, _ in image.blobs], timeout=120, without={3})


def test_registry_killed_after_one_full_copy_is_in_the_swarm(crowd):
    c, image, pulls = crowd
    # Every layer has been asked for, and more bytes than 8 nodes could have of half of them.
    end = time.monotonic() + 120
    while True:
        per_blob: dict[str, int] = {}
        for agent in c.agents:
            for p in agent.status():
                per_blob[p["digest"]] = per_blob.get(p["digest"], 0) + p["bytes"]["origin"]
        big = [(d, n) for d, n in image.blobs if n > 1 << 20]
        if all(per_blob.get(d, 0) >= n for d, n in big):
            break
        assert time.monotonic() < end, f"no full copy: {per_blob}"
        time.sleep(0.05)
    c.registry.kill()
    pulls.finish([d for d, _ in image.blobs], timeout=120)
