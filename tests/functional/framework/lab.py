"""Network namespaces on one bridge: several hosts on one machine.

The bridge is in a namespace of its own, so nothing of the machine's network changes and nothing
reaches outside. The hub is 10.99.0.1, node i is 10.99.1.i. Needs root and iproute2.
"""
import os
import shutil
import subprocess
from pathlib import Path


def available() -> str:
    """Why there can be no lab here; "" when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip") or not shutil.which("nsenter"):
        return "iproute2 and util-linux are needed"
    try:
        with Lab(0, "cvprobe"):
            return ""
    except RuntimeError as error:
        return f"no network namespace can be made: {error}"


def sh(*args: str) -> None:
    done = subprocess.run(args, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(args)}: {done.stderr.strip()}")


class Lab:
    HUB_IP = "10.99.0.1"

    def __init__(self, nodes: int, prefix: str = "cvlab"):
        self.prefix = f"{prefix}{os.getpid() % 10000}"
        self.nodes = nodes
        self.hub = f"{self.prefix}-hub"

    def __enter__(self) -> "Lab":
        try:
            self._make()
        except RuntimeError:
            self.__exit__()
            raise
        return self

    def _make(self) -> None:
        sh("ip", "netns", "add", self.hub)
        sh("ip", "-n", self.hub, "link", "set", "lo", "up")
        sh("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge")
        sh("ip", "-n", self.hub, "addr", "add", f"{self.HUB_IP}/16", "dev", "br0")
        sh("ip", "-n", self.hub, "link", "set", "br0", "up")
        for i in range(1, self.nodes + 1):
            ns = self.node(i)
            sh("ip", "netns", "add", ns)
            sh("ip", "-n", self.hub, "link", "add", f"v{i}", "type", "veth",
               "peer", "name", "eth0", "netns", ns)
            sh("ip", "-n", self.hub, "link", "set", f"v{i}", "master", "br0", "up")
            sh("ip", "-n", ns, "addr", "add", f"{self.ip(i)}/16", "dev", "eth0")
            sh("ip", "-n", ns, "link", "set", "eth0", "up")
            sh("ip", "-n", ns, "link", "set", "lo", "up")

    def __exit__(self, *_) -> None:
        for ns in [self.hub] + [self.node(i) for i in range(1, self.nodes + 1)]:
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)

    def node(self, i: int) -> str:
        return f"{self.prefix}-{i}"

    def ip(self, i: int) -> str:
        return f"10.99.1.{i}"

    @staticmethod
    def inside(ns: str | None, argv: list[str]) -> list[str]:
        """The command in that namespace. nsenter, because `ip netns exec` mounts a /sys
        without the cgroups that runc needs."""
        return argv if ns is None else ["nsenter", f"--net=/run/netns/{ns}", *argv]

    def shape(self, i: int, rate: str) -> None:
        """Limits node i both ways, as tc writes rates ("100mbit")."""
        for ns, dev in ((self.hub, f"v{i}"), (self.node(i), "eth0")):
            sh("tc", "-n", ns, "qdisc", "replace", "dev", dev, "root", "tbf",
               "rate", rate, "burst", "256k", "latency", "50ms")
