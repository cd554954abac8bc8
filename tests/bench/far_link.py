"""Puts a node of a lab at a distance: a link of two TUN devices, whose packets wait in a process
between them. For kernels that have no netem, and with a delay that is the same for each packet."""
import fcntl
import multiprocessing
import os
import select
import struct
import time
from collections import deque

from framework.lab import Lab, sh
from netns_reader import in_namespace

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000


def open_tun(name: str) -> int:
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def carry(ends: tuple[int, int], delay: float) -> None:
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    poll = select.poll()
    for fd in ends:
        poll.register(fd, select.POLLIN)
    under_way: deque = deque()  # the delay is constant, so they arrive in their order
    while True:
        wait = 1000 * (under_way[0][0] - time.monotonic()) if under_way else 1000
        # In whole milliseconds only: what is left of the wait is spent turning.
        for fd, _ in poll.poll(max(0, int(wait))):
            under_way.append((time.monotonic() + delay, other[fd], os.read(fd, 65536)))
        while under_way and under_way[0][0] <= time.monotonic():
            _, to, packet = under_way.popleft()
            try:
                os.write(to, packet)
            except OSError:
                pass  # lost, as on a link


class FarLink:
    """Between node i and the hub of a lab; used as a context."""

    def __init__(self, lab: Lab, i: int, round_trip: float):
        ns, ip = lab.node(i), lab.ip(i)
        self.ends = in_namespace(ns, lambda: open_tun("far0")), in_namespace(lab.hub, lambda: open_tun("far0"))
        for where, to in ((ns, lab.HUB_IP), (lab.hub, ip)):
            sh("ip", "-n", where, "link", "set", "far0", "up")
            sh("ip", "-n", where, "route", "add", f"{to}/32", "dev", "far0", "src",
               ip if where == ns else lab.HUB_IP)
        self.process = multiprocessing.Process(target=carry, args=(self.ends, round_trip / 2), daemon=True)

    def __enter__(self) -> "FarLink":
        self.process.start()
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.join()
        for fd in self.ends:
            os.close(fd)
