#!/usr/bin/env python3
"""What an agent costs where there is little to be gained: blobs of one byte that it does not have, over a
link with a delay, a layer over a long path that it has all to itself, and a small blob that it has.

The same client takes the same kind of blob straight from the registry beside it (over TLS, as a
container engine does: without a token at first, then with), and the cached one as a file from nginx. `cold`
is without any token and with a new connection of the client; the agent was started a second ago and has
its links to registry and tracker, as always between pulls. `warm` is with all of them. Round trips are what a
pull took longer than straight, over the delay. Needs root for the network namespaces.
"""
import argparse
import base64
import hashlib
import http.client
import json
import os
import shutil
import socket
import ssl
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))

from far_link import FarLink  # noqa: E402
from framework.cluster import Cluster  # noqa: E402
from framework.image import CONFIG, LAYER, MANIFEST  # noqa: E402
from framework.lab import Lab, available  # noqa: E402
from measure import cpu_exact, median, percentile  # noqa: E402
from netns_reader import socket_in  # noqa: E402
from registry_servers import Nginx  # noqa: E402

REPOSITORY = "lab/small"
CACHED = 4096  # bytes


class Connection:
    """HTTP over one connection, in a namespace."""

    def __init__(self, ns: str | None, address: tuple[str, int], ca: Path | None = None):
        self.http = http.client.HTTPConnection(*address)
        self.http.sock = socket_in(ns, address)
        self.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca:
            self.http.sock = ssl.create_default_context(cafile=str(ca)).wrap_socket(self.http.sock,
                                                                                     server_hostname=address[0])

    def ask(self, method: str, path: str, headers: dict, body: bytes = b"") -> tuple[int, bytes]:
        self.http.request(method, path, body, headers)
        reply = self.http.getresponse()
        return reply.status, reply.read()

    def get(self, path: str, headers: dict | None = None) -> tuple[int, bytes]:
        return self.ask("GET", path, headers or {})

    def close(self) -> None:
        self.http.close()


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def path_of(digest: str) -> str:
    return f"/v2/{REPOSITORY}/blobs/{digest}"


def check(digest: str, status: int, body: bytes) -> None:
    assert status == 200 and digest == digest_of(body), (status, body[:300])


class Straight:
    """A client of the registry."""

    def __init__(self, c: Cluster):
        self.ns, self.ca, self.address = c.agent_ns(1), c.ca, (c.hub_ip(), c.registry_port)
        basic = base64.b64encode(f"{c.user}:{c.password}".encode()).decode()
        self.basic = {"Authorization": f"Basic {basic}"}
        self.connection: Connection | None = None

    def log_in(self, actions: str) -> None:
        scope = f"/token?service=convoy-registry&scope=repository:{REPOSITORY}:{actions}"
        status, body = self.connection.get(scope, self.basic)
        assert status == 200, body
        self.bearer = {"Authorization": f"Bearer {json.loads(body)['token']}"}

    def push(self, blobs: list[bytes]) -> list[str]:
        """Their digests."""
        self.connection = Connection(self.ns, self.address, self.ca)
        self.log_in("pull,push")
        for blob in blobs:
            headers = {**self.bearer, "Content-Type": "application/octet-stream"}
            status, body = self.connection.ask("POST", f"/v2/{REPOSITORY}/blobs/uploads/?digest={digest_of(blob)}",
                                               headers, blob)
            assert status == 201, body
        return [digest_of(blob) for blob in blobs]

    def push_image(self, layer: bytes) -> str:
        """Tagged 1; the layer's digest."""
        described = [{"mediaType": kind, "digest": digest, "size": len(data)} for kind, data, digest in
                     zip((CONFIG, LAYER), (b"{}", layer), self.push([b"{}", layer]))]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
        status, body = self.connection.ask("PUT", f"/v2/{REPOSITORY}/manifests/1",
                                           {**self.bearer, "Content-Type": MANIFEST}, json.dumps(manifest).encode())
        assert status == 201, body
        return described[1]["digest"]

    def cold(self, digest: str) -> float:
        start = time.monotonic()
        self.connection = Connection(self.ns, self.address, self.ca)
        assert self.connection.get(path_of(digest))[0] == 401
        self.log_in("pull")
        check(digest, *self.connection.get(path_of(digest), self.bearer))
        return time.monotonic() - start

    def warm(self, digest: str) -> float:
        start = time.monotonic()
        check(digest, *self.connection.get(path_of(digest), self.bearer))
        return time.monotonic() - start


def through(agent, ns: str | None, digest: str) -> tuple[float, float]:
    """Seconds, and CPU seconds of the agent."""
    ip, _, port = agent.endpoints["mirror"].rpartition(":")
    connection = Connection(ns, (ip, int(port)))
    cpu = cpu_exact(agent.process.pid)
    start = time.monotonic()
    check(digest, *connection.get(path_of(digest)))
    took = time.monotonic() - start
    connection.close()
    time.sleep(0.1)  # what it does behind the answer belongs to it
    return took, cpu_exact(agent.process.pid) - cpu


def distant(directory: Path, args) -> dict:
    """Pulls of one byte with a delay between the node and everything else."""
    blobs = [bytes([i]) for i in range(2 * args.cold + 2 * args.warm + 1)]
    with Lab(1, "cvf") as lab, FarLink(lab, 1, args.rtt / 1000), \
            Cluster(directory / "c", agents_wanted=1, lab=lab) as c:
        agent, straight, ns = c.agents[0], Straight(c), c.agent_ns(1)
        digests = straight.push(blobs)
        cold, cold_straight, warm, warm_straight = [], [], [], []
        for _ in range(args.cold):
            cold_straight.append(straight.cold(digests.pop()))
            agent.stop()
            agent.start().wait_ready()
            time.sleep(1)  # it has opened its links
            cold.append(through(agent, ns, digests.pop()))
        through(agent, ns, digests.pop())
        for _ in range(args.warm):
            warm_straight.append(straight.warm(digests.pop()))
            warm.append(through(agent, ns, digests.pop()))
        assert agent.status()[0]["outcome"] == "ok"

    def trips(ours: list[tuple[float, float]], theirs: list[float]) -> float:
        return 1000 * (statistics.median(t for t, _ in ours) - statistics.median(theirs)) / args.rtt

    return {"extra_round_trips": trips(warm, warm_straight), "cpu_ms": 1000 * statistics.median(cpu for _, cpu in warm),
            "extra_round_trips_cold": trips(cold, cold_straight),
            "cpu_ms_cold": 1000 * statistics.median(cpu for _, cpu in cold),
            "baseline": {"round_trips": 1000 * statistics.median(warm_straight) / args.rtt,
                         "round_trips_cold": 1000 * statistics.median(cold_straight) / args.rtt}}


def throughput(directory: Path, args) -> dict:
    """A layer over a long path, through the agent and straight: MiB a second."""
    with Lab(1, "cvf") as lab, Cluster(directory / "c", agents_wanted=1, lab=lab) as c:
        straight = Straight(c)
        digest = straight.push_image(os.urandom(args.far_size << 20))
        with FarLink(lab, 1, args.far_rtt / 1000):
            straight.connection = Connection(straight.ns, straight.address, straight.ca)
            straight.log_in("pull")
            theirs, (ours, _) = straight.warm(digest), through(c.agents[0], c.agent_ns(1), digest)
    return {"far_mib_per_s": args.far_size / ours, "baseline": {"far_mib_per_s": args.far_size / theirs}}


def paced(connection: Connection, path: str, count: int, pause: float) -> list[float]:
    """Milliseconds of each request."""
    took = []
    for _ in range(count):
        start = time.monotonic()
        status, body = connection.get(path)
        took.append(1000 * (time.monotonic() - start))
        assert status == 200 and len(body) == CACHED
        time.sleep(pause)
    return took


def cached(directory: Path, args) -> dict:
    """A small blob from the cache of an agent, and as a file from nginx."""
    blob = os.urandom(CACHED)
    nginx = Nginx(directory / "nginx", None)
    nginx.dir.mkdir()
    (nginx.dir / "www").mkdir()
    (nginx.dir / "www" / "blob").write_bytes(blob)
    with Cluster(directory / "c", agents_wanted=1) as c:
        digest = Straight(c).push_image(blob)
        agent = c.agents[0]
        ip, _, port = agent.endpoints["mirror"].rpartition(":")
        mirror = Connection(None, (ip, int(port)))
        mirror.get(f"/v2/{REPOSITORY}/manifests/1")  # small blobs are taken ahead with it
        time.sleep(1)
        nginx.start()
        try:
            paced(mirror, path_of(digest), 50, 0.001)
            ours = paced(mirror, path_of(digest), args.gets, args.pause / 1000)
            theirs = paced(Connection(None, ("127.0.0.1", nginx.port)), "/blob", args.gets, args.pause / 1000)
        finally:
            nginx.stop()
        assert agent.status()[0]["bytes"]["cache"] == CACHED
    return {"cached_p50_ms": percentile(ours, 0.5), "cached_p99_ms": percentile(ours, 0.99),
            "baseline": {"cached_p50_ms": percentile(theirs, 0.5), "cached_p99_ms": percentile(theirs, 0.99)}}


def one_run(args) -> dict:
    directory = Path(tempfile.mkdtemp(prefix="cvf-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    try:
        result: dict = {"baseline": {}}
        for part in (distant, throughput, cached):
            (directory / part.__name__).mkdir()
            figures = part(directory / part.__name__, args)
            result["baseline"].update(figures.pop("baseline"))
            result.update(figures)
        return result
    finally:
        shutil.rmtree(directory, ignore_errors=True)


GOALS = {"extra_round_trips": 2, "extra_round_trips_cold": 2, "cpu_ms": 5, "cpu_ms_cold": 5, "cached_p50_ms": 1,
         "cached_p99_ms": 5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rtt", type=float, default=20, help="ms from the node to everything else")
    parser.add_argument("--cold", type=int, default=7, help="pulls with nothing open")
    parser.add_argument("--warm", type=int, default=30, help="pulls with everything open")
    parser.add_argument("--gets", type=int, default=2500, help="of the cached blob")
    parser.add_argument("--pause", type=float, default=5, help="ms between them")
    parser.add_argument("--far-rtt", type=float, default=80, help="ms, for the throughput of a long path")
    parser.add_argument("--far-size", type=int, default=64, help="MiB taken over it")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if 2 * args.cold + 2 * args.warm + 1 > 256:
        parser.error("there are only 256 blobs of one byte")
    why_not = available()
    if why_not:
        parser.error(why_not)
    result = median([one_run(args) for _ in range(args.runs)])
    if args.json:
        print(json.dumps(result))
        return
    print(f"{'':26}{'convoy':>10}{'beside':>10}{'goal':>8}")
    for key in dict.fromkeys([*result, *result["baseline"]]):
        if key == "baseline":
            continue
        cells = [result.get(key), result["baseline"].get(key), GOALS.get(key)]
        print(f"{key:26}" + "".join(f"{'-' if v is None else f'{v:.3g}':>{w}}" for v, w in zip(cells, (10, 10, 8))))


if __name__ == "__main__":
    main()
