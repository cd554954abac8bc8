"""An agent's rate limits, measured in bytes over time, and changed while it runs."""
import json
import signal
import threading
import time
import urllib.error
import urllib.request

from framework.cluster import Cluster, Role, convoy
from framework.image import make_image
from framework.skopeo import Skopeo

MIB = 1 << 20


def push(workdir, c: Cluster, sizes: list[int]) -> list[tuple[str, int]]:
    """Layers of these sizes; their digests and lengths."""
    image = make_image(workdir / "img", sizes, "rates")
    Skopeo(workdir / "skopeo", c.ca, c.user, c.password, c.host).push(image.layout, c.ref("lab/big:1"))
    return image.blobs[2:]


def take(agent: Role, digest: str) -> int:
    url = f"http://{agent.endpoints['mirror']}/v2/lab/big/blobs/{digest}"
    with urllib.request.urlopen(url, timeout=60) as r:
        return len(r.read())


def seconds(agent: Role, blob: tuple[str, int]) -> float:
    start = time.monotonic()
    assert take(agent, blob[0]) == blob[1]
    return time.monotonic() - start


def least(size: int, rate: int) -> float:
    """What a limit allows, less what may pile up before and a timer's tolerance."""
    return 0.9 * (size - 0.05 * rate - 64 * 1024) / rate


def rates(agent: Role, *changes: str) -> dict:
    return json.loads(convoy("rates", "--config", str(agent.config), "--json", *changes).stdout)


def hang_up(agent: Role, expect: str) -> None:
    """SIGHUP, until the log says what became of it."""
    before = agent.log.read_text().count(expect)
    agent.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 10
    while agent.log.read_text().count(expect) == before:
        assert time.monotonic() < end, agent.tail()
        time.sleep(0.02)


def test_download_limit_holds_and_changes_by_command_and_sighup(workdir):
    with Cluster(workdir / "c", agents_wanted=1, agent_extra='rates.download = "1MB/s"') as c:
        blobs = push(workdir, c, [4 * MIB, 4 * MIB + 1, 4 * MIB + 2, 4 * MIB + 3])
        agent, = c.agents
        slow = seconds(agent, blobs[0])
        assert slow >= least(blobs[0][1], 1_000_000)
        assert rates(agent, "--download", "unlimited")["download"] == 0
        assert seconds(agent, blobs[1]) < slow / 2
        hang_up(agent, '"reloaded"')
        assert rates(agent)["download"] == 1_000_000
        assert seconds(agent, blobs[2]) >= least(blobs[2][1], 1_000_000)
        # Of a file with a fault nothing is taken over.
        agent.config.write_text(agent.config.read_text().replace('"1MB/s"', '"1MB"'))
        hang_up(agent, "reload refused")
        assert json.loads(agent.ops("/convoy/v1/status")[1])["rates"]["download"] == 1_000_000
        agent.config.write_text(agent.config.read_text().replace('"1MB"', '"unlimited"'))
        hang_up(agent, '"reloaded"')
        assert seconds(agent, blobs[3]) < slow / 2


def test_a_download_under_way_takes_the_new_rate(workdir):
    with Cluster(workdir / "c", agents_wanted=1, agent_extra='rates.download = "200KB/s"') as c:
        blob, = push(workdir, c, [8 * MIB])
        took: list[float] = []
        client = threading.Thread(target=lambda: took.append(seconds(c.agents[0], blob)))
        client.start()
        time.sleep(1)
        rates(c.agents[0], "--download", "unlimited")
        client.join()
        assert took[0] < 20, "at the old rate it would have been 42 s"


def test_origin_limit_holds_for_the_seeder_and_straight_but_not_for_peers(workdir):
    with Cluster(workdir / "c", agents_wanted=2) as c:
        seeded, both, straight = push(workdir, c, [4 * MIB, 4 * MIB + 1, 1 * MIB])
        first, second = c.agents
        take(first, both[0])
        rates(second, "--origin", "1MB/s")
        slow = seconds(second, seeded)
        assert slow >= least(seeded[1], 1_000_000)
        assert seconds(second, both) < slow / 2, "a peer has it"
        rates(second, "--origin", "500KB/s")
        config = second.config.read_text()
        second.stop()
        second.config.write_text(config.replace("[agent]\n", '[agent]\nsmall_blob_limit = "2MiB"\nrates.origin = "500KB/s"\n'))
        second.start().wait_ready()
        assert seconds(second, straight) >= least(straight[1], 500_000)
        assert second.status()[0]["bytes"]["registry"] == straight[1]


def test_upload_limits_hold_for_the_node_and_for_each_peer(workdir):
    with Cluster(workdir / "c", agents_wanted=3) as c:
        blobs = push(workdir, c, [4 * MIB, 4 * MIB + 1])
        first, *others = c.agents
        for blob in blobs:
            take(first, blob[0])
        for agent in others:  # their tokens: the registry is about to go
            url = f"http://{agent.endpoints['mirror']}/v2/lab/big/manifests/1"
            urllib.request.urlopen(url, timeout=20).read()
        c.registry.kill()
        rates(first, "--upload-per-peer", "1MB/s")
        assert seconds(others[0], blobs[0]) >= least(blobs[0][1], 1_000_000)
        rates(first, "--upload-per-peer", "unlimited", "--upload", "1500KB/s")
        assert seconds(others[1], blobs[1]) >= least(blobs[1][1], 1_500_000)


def test_registry_takes_a_new_limit_by_sighup(workdir):
    with Cluster(workdir / "c", agents_wanted=1, egress="1MB/s") as c:
        blobs = push(workdir, c, [3 * MIB, 3 * MIB + 1])
        slow = seconds(c.agents[0], blobs[0])
        assert slow >= least(blobs[0][1], 1_000_000)
        c.registry.config.write_text(c.registry.config.read_text().replace('"1MB/s"', '"100MB/s"'))
        hang_up(c.registry, '"reloaded"')
        assert seconds(c.agents[0], blobs[1]) < slow / 2


def test_nobody_else_changes_rates(workdir):
    with Cluster(workdir / "c", agents_wanted=1, agent_extra='rates.download = "1MB/s"') as c:
        agent, = c.agents
        url = f"http://{agent.endpoints['ops']}/convoy/v1/admin/rates"
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YTpi"}):
            for method in ("GET", "PATCH"):
                request = urllib.request.Request(url, b'{"download":0}' if method == "PATCH" else None, headers,
                                                 method=method)
                try:
                    urllib.request.urlopen(request, timeout=10)
                    raise AssertionError("let in")
                except urllib.error.HTTPError as refused:
                    assert refused.code == 401
        assert rates(agent)["download"] == 1_000_000
        refused = [l for l in agent.audit_lines() if l.get("action") == "admin.refuse"]
        assert len(refused) == 6
        assert (workdir / "c/agent-1/data/admin.json").stat().st_mode & 0o777 == 0o600
        done = convoy("rates", "--data", str(workdir / "none"), check=False)
        assert done.returncode == 1 and "admin.json" in done.stderr
        done = convoy("rates", "--config", str(agent.config), "--download", "fast", check=False)
        assert done.returncode == 2 and "no rate" in done.stderr
