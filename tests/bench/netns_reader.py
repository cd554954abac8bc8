"""Clients in many network namespaces within one process: each takes blobs through its node's
mirror, notes when bytes become readable, and checks the digest."""
import ctypes
import hashlib
import os
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def in_namespace(ns: str | None, action):
    """What `action` gives when a thread of its own does it there."""
    result: list = []

    def act() -> None:
        try:
            if ns is not None:
                fd = os.open(f"/run/netns/{ns}", os.O_RDONLY)
                try:
                    if libc.setns(fd, CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                finally:
                    os.close(fd)
            result.append(action())
        except OSError as e:
            result.append(e)

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


def socket_in(ns: str | None, address: tuple[str, int]) -> socket.socket:
    """A connected socket of that namespace."""
    return in_namespace(ns, lambda: socket.create_connection(address, timeout=10))


@dataclass
class Reader:
    """Takes `blobs` (path, digest, size) of one node, `parallel` at a time, in their order."""
    name: str
    ns: str | None
    address: tuple[str, int]
    blobs: list[tuple[str, str, int]]
    parallel: int = 3
    start: float = 0
    first: float = 0
    done: float = 0
    area: float = 0  # sum of bytes x seconds after the start
    whole: float = 0  # sum over the blobs of the seconds after which they were whole
    left: list = field(default_factory=list)
    open: int = 0


class Stream:
    def __init__(self, reader: Reader, blob: tuple[str, str, int]):
        self.reader, (path, self.digest, self.size) = reader, blob
        self.socket = socket_in(reader.ns, reader.address)
        request = f"GET {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"
        self.socket.sendall(request.encode())
        self.socket.setblocking(False)
        self.head, self.got, self.hash = b"", 0, hashlib.sha256()

    def take(self, data: bytes, now: float) -> None:
        if self.head is not None:
            self.head += data
            head, found, data = self.head.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise AssertionError(f"{self.reader.name}: {head[:200]!r} {data[:300]!r}")
            self.head = None
        if not data:
            return
        r = self.reader
        r.first = r.first or now
        r.area += len(data) * (now - r.start)
        self.got += len(data)
        self.hash.update(data)

    def finish(self) -> None:
        self.socket.close()
        if self.got != self.size or "sha256:" + self.hash.hexdigest() != self.digest:
            raise AssertionError(f"{self.reader.name}: {self.digest} came wrong, {self.got} of {self.size} bytes")


def run(readers: list[Reader], starts: list[float], timeout: float) -> None:
    """Starts each reader so many seconds from now; returns when all have everything."""
    selector = selectors.DefaultSelector()
    began = time.monotonic()
    waiting = sorted(zip(starts, range(len(readers))), reverse=True)
    running = 0

    def go_on(reader: Reader) -> None:
        while reader.left and reader.open < reader.parallel:
            stream = Stream(reader, reader.left.pop(0))
            reader.open += 1
            selector.register(stream.socket, selectors.EVENT_READ, stream)

    while waiting or running:
        now = time.monotonic()
        if now - began > timeout:
            late = [r.name for r in readers if not r.done]
            raise AssertionError(f"not done after {timeout:.0f} s: {late}")
        while waiting and waiting[-1][0] <= now - began:
            reader = readers[waiting.pop()[1]]
            reader.start, reader.left = time.monotonic(), list(reader.blobs)
            running += 1
            go_on(reader)
        pause = min(1.0, max(0.0, waiting[-1][0] - (time.monotonic() - began))) if waiting else 1.0
        for key, _ in selector.select(pause):
            stream: Stream = key.data
            data = stream.socket.recv(1 << 18)
            now = time.monotonic()
            if data:
                stream.take(data, now)
                continue
            selector.unregister(stream.socket)
            stream.finish()
            reader = stream.reader
            reader.whole += now - reader.start
            reader.open -= 1
            go_on(reader)
            if not reader.open:
                reader.done = now
                running -= 1
