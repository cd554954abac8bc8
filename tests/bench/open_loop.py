"""Requests at a rate of their own, whatever comes back: what a crowd that does not wait is to a server.

One process of its own; the connections are TLS from several addresses of loopback, and several
requests travel together, or Python could not make enough of them. What a connection does not take is
counted as offered all the same.
"""
import multiprocessing
import resource
import select
import socket
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable

TICK = 0.02
STATUSES = (200, 201, 429, 503)


@dataclass
class Load:
    port: int
    make: Callable[[int], bytes]  # the n-th request, whole
    rate: float                   # requests/s; 0: each connection asks again when it was answered
    connections: int
    seconds: float
    together: int = 1
    addresses: int = 20


@dataclass
class Seen:
    seconds: float = 0
    offered: int = 0
    sent: int = 0
    answered: Counter = field(default_factory=Counter)
    cut: int = 0

    def of(self, status: int) -> float:
        return self.answered[status] / self.seconds


class Line:
    """One connection: what waits to be sent and what came."""

    def __init__(self, load: Load, number: int, context: ssl.SSLContext):
        self.address = f"127.1.{number % load.addresses}.1"
        self.port, self.context = load.port, context
        self.connect()

    def connect(self) -> None:
        self.rest, self.tail = b"", b""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
        raw.settimeout(20)
        raw.bind((self.address, 0))
        raw.connect(("127.0.0.1", self.port))
        self.socket = self.context.wrap_socket(raw)
        self.socket.setblocking(False)

    def push(self, data: bytes) -> bool:
        """False when it is full."""
        self.rest = self.rest or data
        while self.rest:
            try:
                self.rest = self.rest[self.socket.send(self.rest):]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError, BlockingIOError):
                return False
        return True

    def pull(self, answered: Counter) -> int:
        """How many answers came."""
        before = sum(answered.values())
        try:
            while data := self.socket.recv(1 << 18):
                data = self.tail + data
                for status in STATUSES:
                    answered[status] += data.count(b"HTTP/1.1 %d " % status)
                self.tail = data[-12:]  # one byte short of what is counted
            raise ConnectionResetError
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return sum(answered.values()) - before


def drive(load: Load, ready, result) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    context = ssl._create_unverified_context()
    lines = [Line(load, i, context) for i in range(load.connections)]
    by_fd = {line.socket.fileno(): line for line in lines}
    poll = select.epoll()
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    ready.set()
    seen, number, turn = Seen(), 0, 0

    def again(line: Line) -> None:
        nonlocal by_fd
        seen.cut += 1
        by_fd.pop(line.socket.fileno(), None)
        line.socket.close()
        try:
            line.connect()
        except OSError:
            return
        by_fd[line.socket.fileno()] = line
        poll.register(line.socket.fileno(), select.EPOLLIN)

    def send(line: Line, count: int) -> None:
        nonlocal number
        seen.offered += count
        if line.socket.fileno() < 0:
            return again(line)
        try:
            if line.rest and not line.push(b""):
                return
            data = b"".join(load.make(number + i) for i in range(count))
            number += count
            line.push(data)
            seen.sent += count
        except OSError:
            again(line)

    began = time.monotonic()
    if not load.rate:
        for line in lines:
            send(line, 1)
    while (now := time.monotonic()) - began < load.seconds:
        due = int((now - began) * load.rate) - seen.offered if load.rate else 0
        while due >= load.together:
            send(lines[turn % len(lines)], load.together)
            turn, due = turn + 1, due - load.together
        for fd, _ in poll.poll(TICK):
            line = by_fd.get(fd)
            if line is None:
                continue
            try:
                came = line.pull(seen.answered)
                if not load.rate:
                    for _ in range(came):
                        send(line, 1)
            except OSError:
                again(line)
    seen.seconds = time.monotonic() - began
    result.put(seen)


class OpenLoop:
    """`with` it runs; `seen` afterwards."""

    def __init__(self, load: Load):
        fork = multiprocessing.get_context("fork")
        self.ready, self.result = fork.Event(), fork.Queue()
        self.process = fork.Process(target=drive, args=(load, self.ready, self.result), daemon=True)

    def __enter__(self) -> "OpenLoop":
        self.process.start()
        if not self.ready.wait(120):
            raise AssertionError("the crowd did not get its connections")
        return self

    def __exit__(self, *_) -> None:
        self.seen: Seen = self.result.get(timeout=120)
        self.process.join()


def capacity(load: Load, status: int) -> float:
    """Answers/s of that status when each connection waits for its answer."""
    with OpenLoop(load) as crowd:
        pass
    return crowd.seen.of(status)
