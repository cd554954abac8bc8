"""kill -9 in the middle of a pull by eight nodes: every pull still ends well, and none stands still
for more than ten seconds."""
import subprocess
import time

import pytest

from framework.cluster import Cluster
from framework.image import make_image
from framework.skopeo import Skopeo, verified_blobs

NODES = 8
LONGEST_PAUSE = 25.0  # ten times what it is on an idle machine


def swarm_bytes(c, *sources: str) -> int:
    """What all agents have received and verified by now, by their metrics."""
    total = 0.0
    for agent in c.agents:
        if agent.process.poll() is not None:
            continue
        for line in agent.ops("/metrics")[1].splitlines():
            if any(line.startswith(f'convoy_swarm_bytes_total{{source="{s}"}}') for s in sources):
                total += float(line.split()[-1])
    return int(total)


def written(target) -> int:
    """Bytes that a client has put below its target so far."""
    total = 0
    for path in target.glob("**/*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # renamed meanwhile
            pass
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
        while (have := swarm_bytes(self.c, "peer", "origin")) < wanted:
            assert time.monotonic() < end, f"the swarm has {have} of {wanted} bytes"
            time.sleep(0.02)

    def watch(self, timeout: float, without: set[int]) -> float:
        """Until all are over. The longest time in which a client that still ran wrote nothing."""
        began = time.monotonic()
        seen = [(-1, began)] * len(self.processes)
        longest = 0.0
        left = set(range(len(self.processes))) - without
        while left and time.monotonic() < began + timeout:
            time.sleep(0.1)
            now = time.monotonic()
            for i in sorted(left):
                size, since = written(self.targets[i]), seen[i][1]
                over = self.processes[i].poll() is not None
                if size != seen[i][0] or over:
                    longest = max(longest, now - since)
                    seen[i] = (size, now)
                if over:
                    left.discard(i)
        return max([longest] + [time.monotonic() - seen[i][1] for i in left])

    def finish(self, digests, timeout: float, without: set[int] = frozenset()) -> None:
        end = time.monotonic() + timeout
        pause = self.watch(timeout, without)
        print(f"longest pause of a pull: {pause:.1f} s")
        assert pause <= LONGEST_PAUSE
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
        yield c, image, client, workdir


def test_tracker_killed(crowd):
    c, image, client, workdir = crowd
    pulls = Pulls(c, client, c.ref("lab/app:1"), workdir)
    pulls.wait_until_swarm_has(image.size)
    c.tracker.kill()
    pulls.finish([d for d, _ in image.blobs], timeout=120)


def test_peer_killed(crowd):
    c, image, client, workdir = crowd
    pulls = Pulls(c, client, c.ref("lab/app:1"), workdir)
    pulls.wait_until_swarm_has(image.size)
    c.agents[3].kill()
    pulls.processes[3].kill()
    pulls.finish([d for d, _ in image.blobs], timeout=120, without={3})


def test_registry_killed_after_one_full_copy_is_in_the_swarm(crowd):
    c, image, client, workdir = crowd
    client.pull(c.ref("lab/app:1"), workdir / "first", c.agents[0].endpoints["mirror"])
    pulls = Pulls(c, client, c.ref("lab/app:1"), workdir)
    pulls.wait_until_swarm_has(image.size * 3)
    c.registry.kill()
    pulls.finish([d for d, _ in image.blobs], timeout=120)
