#!/usr/bin/env python3
"""A flash crowd on shaped links: real agents in network namespaces, all security on.

Every node starts within the first second (--spread) and reads in order; times count from each
node's own start, ratios are against the bound max(F/u_s, F/d, N*F/(u_s + sum of u)). The same
nodes on the same links then do it with libtorrent (rarest first as it comes, and tuned) and by
plain HTTPS from the registry. Needs root. The registry's link has the nodes' rate.

--local: no namespaces and no links, so that hundreds of nodes fit on a machine (200 by default, 8 MiB at
0.4 Mbit/s, starts within 12 s): each agent has an address of 127.0.0.0/8 and limits itself by its own rates
(agent.rates), the registry by its egress_limit. They count bytes of blobs, so framing does not show;
no baselines. Needs no root.
"""
import argparse
import json
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))

import netns_reader  # noqa: E402
import swarm_baselines  # noqa: E402
from framework.cluster import Cluster  # noqa: E402
from framework.image import Image, make_image  # noqa: E402
from framework.lab import Lab, available  # noqa: E402
from framework.skopeo import Skopeo  # noqa: E402
from measure import cpu_seconds, median  # noqa: E402

MIXED = [1, 1, 2, 4, 8, 8, 16, 16, 32, 64]  # MiB
POLICIES = ["convoy", "libtorrent", "libtorrent-tuned", "https"]
KEYS = ["ratio", "median_ratio", "origin_copies", "redundant_fraction", "ttfb_ms", "readable_ratio", "layer_ratio",
        "cpu_s_per_gb", "rss_mib", "cpu_share"]


def metric(role, name: str, labels: str = "") -> float:
    text = role.ops("/metrics")[1]
    pattern = re.compile(rf"^{name}(\{{[^}}]*\}})? (\S+)$", re.M)
    return sum(float(m[2]) for m in pattern.finditer(text) if labels in (m[1] or ""))


def layer_sizes(text: str, size: int) -> list[int]:
    """In bytes: "" is one layer of --size, "10" the mixed set, "1,2,64" these MiB."""
    if not text:
        return [size << 20]
    if "," in text:
        return [int(float(n) * (1 << 20)) for n in text.split(",")]
    return [MIXED[i % len(MIXED)] << 20 for i in range(int(text))]


class Bench:
    def __init__(self, args, directory: Path, lab: Lab | None, seed: int):
        self.args, self.dir, self.lab = args, directory, lab
        rng = random.Random(seed)
        self.seed = seed
        self.starts = [rng.random() * args.spread for _ in range(args.nodes)]
        self.image: Image = make_image(directory / "img", layer_sizes(args.layers, args.size), f"bench{seed}")
        # Without the busybox layer and the config: they are not what is measured.
        self.blobs = self.image.blobs[2:]
        self.size = sum(n for _, n in self.blobs)
        self.rate = args.rate * 125_000
        self.bound = self.size / self.rate * max(1, args.nodes / (args.nodes + 1))

    def paths(self) -> list[tuple[str, str, int]]:
        return [(f"/v2/lab/big/blobs/{d}", d, n) for d, n in self.blobs]

    def timeout(self) -> float:
        return 60 + 4 * self.bound

    def cluster(self) -> Cluster:
        n = self.args.nodes
        if self.lab:
            return Cluster(self.dir / "c", agents_wanted=n, lab=self.lab, service_node=n + 1)
        rate = f"{int(self.rate)}B/s"
        limits = f'rates.upload = "{rate}"\nrates.download = "{rate}"\n'
        return Cluster(self.dir / "c", agents_wanted=n, egress=rate, agent_extra=limits)

    def mirror(self, c: Cluster, i: int) -> tuple[str, int]:
        if self.lab:
            return "127.0.0.1", 5001
        ip, _, port = c.agents[i - 1].endpoints["mirror"].rpartition(":")
        return ip, int(port)

    def shape(self) -> None:
        for i in range(1, self.args.nodes + 2):
            self.lab.shape(i, f"{self.args.rate}mbit")

    def convoy(self) -> dict:
        n = self.args.nodes
        with self.cluster() as c:
            host = f"{c.hub_ip()}:{c.registry_port}"
            client = Skopeo(self.dir / "skopeo", c.ca, c.user, c.password, host, ns=c.hub_ns())
            client.push(self.image.layout, f"{host}/lab/big:1", timeout=300)
            if self.lab:
                self.shape()
            pids = [r.process.pid for r in c.roles()]
            cpu = sum(map(cpu_seconds, pids))
            sent = self.origin_bytes(c)
            readers = [netns_reader.Reader(f"node-{i}", c.agent_ns(i), self.mirror(c, i), self.paths(),
                                           self.args.parallel) for i in range(1, n + 1)]
            began = time.monotonic()
            netns_reader.run(readers, self.starts, self.timeout())
            wall = time.monotonic() - began
            cpu = sum(map(cpu_seconds, pids)) - cpu
            result = self.figures(readers)
            result["cpu_share"] = cpu / wall / os.cpu_count()
            result["origin_copies"] = (self.origin_bytes(c) - sent) / self.size
            result["redundant_fraction"] = sum(metric(a, "convoy_swarm_redundant_bytes_total") for a in c.agents) / (
                n * self.size)
            result["cpu_s_per_gb"] = cpu / (n * self.size / 1e9)
            result["rss_mib"] = max(a.rss_mib() for a in c.agents)
            result["registry_rss_mib"] = c.registry.rss_mib()
            if "https" in self.args.policy:
                result["https"] = swarm_baselines.https(
                    self.lab, n, (c.hub_ip(), c.registry_port), c.ca, c.user, c.password, self.paths(), self.starts,
                    self.bound, self.args.https_seconds)
            if self.args.keep:
                print(f"logs: {self.dir}", file=sys.stderr)
            return result

    @staticmethod
    def origin_bytes(c: Cluster) -> float:
        """What the registry gave away of blobs: to the swarm, and straight."""
        return metric(c.registry, "convoy_swarm_bytes_total", 'source="self"') + metric(
            c.registry, "convoy_registry_sent_bytes_total")

    def figures(self, readers: list[netns_reader.Reader]) -> dict:
        took = [r.done - r.start for r in readers]
        if self.args.verbose:
            for r in sorted(readers, key=lambda r: r.start):
                print(f"{r.name:8} start {r.start - min(x.start for x in readers):5.2f}"
                      f" first {1000 * (r.first - r.start):6.0f} ms took {(r.done - r.start) / self.bound:.4f}"
                      f" readable {r.area / self.size / self.bound:.3f}", file=sys.stderr)
        return {"ratio": max(took) / self.bound, "median_ratio": statistics.median(took) / self.bound,
                "ttfb_ms": 1000 * max(r.first - r.start for r in readers),
                "ttfb_median_ms": 1000 * statistics.median(r.first - r.start for r in readers),
                "readable_ratio": statistics.mean(r.area / self.size for r in readers) / self.bound,
                "layer_ratio": statistics.mean(r.whole / len(r.blobs) for r in readers) / self.bound}

    def libtorrent(self, tuned: bool) -> dict:
        self.shape()
        digest, _ = max(self.blobs, key=lambda b: b[1])
        blob = self.image.layout / "blobs/sha256" / digest.split(":")[1]
        bound = blob.stat().st_size / self.rate * max(1, self.args.nodes / (self.args.nodes + 1))
        return swarm_baselines.libtorrent(self.dir / f"lt-{tuned}", self.lab, self.args.nodes, blob, 64 << 10, tuned,
                                          self.starts, bound, self.seed)


def one_run(args, seed: int) -> dict:
    directory = Path(tempfile.mkdtemp(prefix="cvb-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    result: dict = {"baselines": {}}
    try:
        def with_lab(work) -> dict:
            if args.local:
                return work(Bench(args, directory, None, seed))
            with Lab(args.nodes + 1, "cvb") as lab:
                return work(Bench(args, directory, lab, seed))

        if {"convoy", "https"} & set(args.policy):
            result.update(with_lab(lambda b: b.convoy()))
            if "https" in result:
                result["baselines"]["https"] = result.pop("https")
            shutil.rmtree(directory / "img")
        for name in ("libtorrent", "libtorrent-tuned"):
            if name in args.policy:
                result["baselines"][name] = with_lab(lambda b: b.libtorrent(name == "libtorrent-tuned"))
                shutil.rmtree(directory / "img")
        return result
    finally:
        if not args.keep:
            shutil.rmtree(directory, ignore_errors=True)


def show(args, result: dict) -> None:
    columns = {"convoy": result, **result["baselines"]}
    print(f"{args.nodes} nodes at {args.rate} Mbit/s, {args.layers or f'{args.size} MiB'}, medians of {args.runs}")
    print(f"{'':20}" + "".join(f"{name:>18}" for name in columns))
    for key in KEYS:
        cells = [c.get(key) for c in columns.values()]
        print(f"{key:20}" + "".join(f"{'-' if v is None else f'{v:.3f}':>18}" for v in cells))
    for name, column in columns.items():
        if column.get("note"):
            print(f"{name}: {column['note']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--local", action="store_true", help="hundreds of agents on loopback")
    parser.add_argument("--nodes", type=int, help="8, or 200 with --local")
    parser.add_argument("--rate", type=float, help="Mbit/s of every link, each way: 40, or 0.4 with --local")
    parser.add_argument("--size", type=int, help="MiB of the one layer: 64, or 8 with --local")
    parser.add_argument("--layers", default="", help='"10": ten of mixed size, "1,8,64": these MiB')
    parser.add_argument("--parallel", type=int, default=3, help="layers a client takes at once")
    parser.add_argument("--policy", default=",".join(POLICIES), help=f"which to run, of {','.join(POLICIES)}")
    parser.add_argument("--spread", type=float, help="seconds within which nodes start: 1, or 12 with --local")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--https-seconds", type=float, default=20, help="then the rest is reckoned")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="a line for each node")
    parser.add_argument("--keep", action="store_true", help="keep the directory with logs")
    args = parser.parse_args()
    nodes, rate, size, spread = (200, 0.4, 8, 12.0) if args.local else (8, 40, 64, 1.0)
    args.nodes, args.rate, args.size = args.nodes or nodes, args.rate or rate, args.size or size
    args.spread = spread if args.spread is None else args.spread
    if args.local:
        args.policy = "convoy"
    args.rate = int(args.rate) if args.rate == int(args.rate) else args.rate
    args.policy = args.policy.split(",")
    unknown = set(args.policy) - set(POLICIES)
    if unknown:
        parser.error(f"no such policy: {', '.join(sorted(unknown))}")
    why_not = "" if args.local else available()
    if why_not:
        parser.error(why_not)
    if os.geteuid() == 0:
        os.nice(-10)  # what else runs on the machine is not to be measured
    result = median([one_run(args, args.seed + i) for i in range(args.runs)])
    if args.json:
        print(json.dumps(result))
    else:
        show(args, result)


if __name__ == "__main__":
    main()
