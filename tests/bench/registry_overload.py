#!/usr/bin/env python3
"""What honest clients of a registry feel while others misuse it, all on loopback over TLS.

Honest clients, each from an address of its own, get a manifest and a blob of 1 MiB over a new
connection, and push a small image now and then; a request that is turned away (429, 503) is sent
again when the registry says. Beside them, one after the other: nobody, heads that never end, bodies
that never end, readers that hardly read, connections that say nothing, and ten times the pulls and
the pushes that this registry can serve (measured first), without and with a limit by address. Prints
their times, failures and the registry's memory.
"""
import argparse
import json
import multiprocessing
import os
import resource
import shutil
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))

from framework import oci  # noqa: E402
from framework.registry import Client, Registry  # noqa: E402
from open_loop import Load, OpenLoop, capacity  # noqa: E402

IMAGE = "application/vnd.oci.image.manifest.v1+json"
CLIENTS = 4
TRIES = 8
TIMES = 10  # what is offered, of what can be served
SMALL = 16  # connections that keep it busy and wait for their answers


class Honest(threading.Thread):
    """Pulls, and pushes every tenth time, until told to stop."""

    def __init__(self, registry: Registry, number: int, blob: str, stop: threading.Event):
        super().__init__()
        self.registry, self.number, self.blob, self.stop = registry, number, blob, stop
        self.address = f"127.9.0.{number + 1}"
        self.client = registry.client()
        self.tls = ssl.create_default_context(cafile=str(registry.ca))
        self.tokens = {s: self.client.token(f"repository:team/{s}:pull,push") for s in ("app", f"push{number}")}
        self.times = {"manifest": [], "blob": [], "push": []}
        self.failures, self.turned_away, self.why = 0, 0, ""

    def run(self) -> None:
        rounds = 0
        while not self.stop.is_set():
            try:
                self.connection = self.connect()
                self.timed("manifest", lambda: self.ask("GET", "/v2/team/app/manifests/v1", "app"))
                self.timed("blob", lambda: self.ask("GET", f"/v2/team/app/blobs/{self.blob}", "app"))
                if rounds % 10 == 0:
                    self.timed("push", lambda: self.push(rounds))
            except (OSError, HTTPException, RuntimeError) as e:
                self.failures += 1
                self.why = repr(e)
            finally:
                self.connection.close()
            rounds += 1

    def connect(self) -> HTTPSConnection:
        connection = HTTPSConnection("127.0.0.1", self.registry.port, timeout=20, context=self.tls,
                                     source_address=(self.address, 0))
        self.connection = connection
        connection.connect()
        return connection

    def timed(self, what: str, act) -> None:
        began = time.monotonic()
        act()
        self.times[what].append(time.monotonic() - began)

    def ask(self, method: str, path: str, repository: str, body: bytes = b"", headers: dict | None = None):
        for _ in range(TRIES):
            self.connection.request(method, path, body=body or None, headers={
                "Authorization": f"Bearer {self.tokens[repository]}", **(headers or {})})
            answer = self.connection.getresponse()
            answer.read()
            if answer.status < 300:
                return answer
            if answer.status not in (429, 503):
                raise RuntimeError(f"{method} {path}: {answer.status}")
            self.turned_away += 1
            if self.stop.wait(int(answer.headers["Retry-After"])):
                raise RuntimeError("turned away to the end")
        raise RuntimeError("turned away for good")

    def push(self, rounds: int) -> None:
        repository = f"push{self.number}"
        named = []
        for size in (100, 64 << 10):
            data = os.urandom(size)
            digest = oci.digest(data)
            begun = self.ask("POST", f"/v2/team/{repository}/blobs/uploads/", repository)
            self.ask("PUT", f"{begun.headers['Location']}?digest={digest}", repository, data)
            named.append({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size})
        manifest = {"schemaVersion": 2, "mediaType": IMAGE, "config": named[0], "layers": named[1:]}
        self.ask("PUT", f"/v2/team/{repository}/manifests/t{rounds}", repository, json.dumps(manifest).encode(),
                 {"Content-Type": IMAGE})


def hold(port: int, first: int, count: int, addresses: int, opening: bytes, drip: bytes, pause: float,
         ready, stop) -> None:
    """Keeps `count` TLS connections that say `opening` and then `drip` again and again."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    context = ssl._create_unverified_context()

    def connect(i: int):
        try:
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
            raw.settimeout(10)
            raw.bind((f"127.0.{1 + i % addresses}.1", 0))
            raw.connect(("127.0.0.1", port))
            secured = context.wrap_socket(raw)
            if opening:
                secured.sendall(opening)
            return secured
        except OSError:
            return None

    held = [connect(first + i) for i in range(count)]
    ready.set()
    while not stop.wait(pause):
        for i, one in enumerate(held):
            if stop.is_set():
                break
            try:
                if one is None:
                    raise OSError
                if drip:
                    one.sendall(drip)
                else:
                    one.settimeout(0)
                    try:
                        if one.recv(1) == b"":
                            raise OSError
                    except (ssl.SSLWantReadError, BlockingIOError):
                        pass
            except OSError:
                if one is not None:
                    one.close()
                held[i] = connect(first + i)


class Holders:
    def __init__(self, port: int, count: int, opening: bytes, drip: bytes, pause: float, addresses: int = 20,
                 processes: int = 2):
        self.stop = multiprocessing.Event()
        self.ready = [multiprocessing.Event() for _ in range(processes)]
        share = count // processes
        self.all = [multiprocessing.Process(target=hold, daemon=True, args=(
            port, i * share, share, addresses, opening, drip, pause, ready, self.stop))
            for i, ready in enumerate(self.ready)]

    def __enter__(self):
        for one in self.all:
            one.start()
        for ready in self.ready:
            ready.wait(180)

    def __exit__(self, *_):
        self.stop.set()
        for one in self.all:
            one.join(5)
            one.kill()


class Watch(threading.Thread):
    """The highest load level seen, and the memory at its highest."""

    def __init__(self, registry: Registry):
        super().__init__(daemon=True)
        self.registry, self.over = registry, threading.Event()
        self.level, self.rss = 0, 0.0

    def run(self) -> None:
        while not self.over.wait(0.3):
            text = self.registry.role.ops("/metrics")[1]
            found = re.search(r"^convoy_registry_load_level\S* (\d)", text, re.MULTILINE)
            self.level = max(self.level, int(found.group(1)))
            self.rss = max(self.rss, memory(self.registry.role.process.pid, "VmRSS"))


class Pause:
    """Nobody, a while after somebody; the registry looks every minute what it can give back."""

    def __init__(self, seconds: float):
        self.seconds = seconds

    def __enter__(self):
        time.sleep(self.seconds)

    def __exit__(self, *_):
        pass


class Nobody:
    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


def percentile(times: list[float], part: float) -> float | None:
    return round(sorted(times)[min(len(times) - 1, int(len(times) * part))] * 1000, 1) if times else None


def memory(pid: int, what: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what)) / 1024, 1)


def measure(registry: Registry, beside, blob: str, seconds: float) -> dict:
    stop = threading.Event()
    honest = [Honest(registry, i, blob, stop) for i in range(CLIENTS)]
    watch = Watch(registry)
    with beside:
        watch.start()
        for one in honest:
            one.start()
        time.sleep(seconds)
        stop.set()
        for one in honest:
            one.join()
    watch.over.set()
    watch.join()
    out = {"rounds": sum(len(h.times["blob"]) for h in honest), "failures": sum(h.failures for h in honest),
           "turned_away": sum(h.turned_away for h in honest), "level": watch.level, "rss_mib": watch.rss}
    if isinstance(beside, OpenLoop):
        seen = beside.seen
        out |= {"offered_per_s": round(seen.offered / seen.seconds), "served_per_s": round(seen.of(200) + seen.of(201)),
                "refused_per_s": round(seen.of(429) + seen.of(503)), "cut": seen.cut}
    for what in ("manifest", "blob", "push"):
        times = [t for h in honest for t in h.times[what]]
        out[f"{what}_p50_ms"], out[f"{what}_p99_ms"] = percentile(times, 0.5), percentile(times, 0.99)
    why = next((h.why for h in honest if h.why), "")
    return out | ({"a_failure": why} if why else {})


def manifest_of(blob: str, size: int = 1 << 20) -> bytes:
    return json.dumps({
        "schemaVersion": 2, "mediaType": IMAGE,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": oci.digest(b"{}"), "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": blob, "size": size}]}).encode()


def fill(client: Client) -> str:
    blob = os.urandom(1 << 20)
    for data in (b"{}", blob):
        assert oci.post_put(client, "team/app", oci.digest(data), data).status == 201
    assert oci.put_manifest(client, "team/app", "v1", manifest_of(oci.digest(blob)), IMAGE).status == 201
    return oci.digest(blob)


def read_of(registry: Registry) -> bytes:
    """Asks for a blob of 64 MiB."""
    client, data = registry.client(), bytes(64 << 20)
    assert oci.post_put(client, "team/app", oci.digest(data), data).status == 201
    token = client.token("repository:team/app:pull")
    return (f"GET /v2/team/app/blobs/{oci.digest(data)} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {token}\r\n\r\n").encode()


def pulls(registry: Registry):
    token = registry.client().token("repository:team/app:pull")
    request = (f"GET /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n").encode()
    return lambda number: request


def pushes(registry: Registry, blob: str):
    """Manifests of an image that is there, no two alike."""
    token = registry.client().token("repository:team/app:pull,push")
    manifest = json.loads(manifest_of(blob))

    def make(number: int) -> bytes:
        body = json.dumps(manifest | {"annotations": {"n": str(number)}}).encode()
        return (f"PUT /v2/team/app/manifests/flood{number % 100} HTTP/1.1\r\nHost: x\r\nContent-Type: {IMAGE}\r\n"
                f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body

    return make


def run(directory: Path, args) -> dict:
    results = {}
    wanted = args.only.split(",") if args.only else None

    def scene(registry, name, make, blob):
        if wanted and name not in wanted:
            return
        results[name] = measure(registry, make(), blob, args.seconds)
        if not args.json:
            show(name, results[name])

    def crowd(registry, make, status, together, can=None):
        can = can or capacity(Load(registry.port, make, 0, SMALL, 3), status)
        return OpenLoop(Load(registry.port, make, TIMES * can, args.crowd, args.seconds + 2, together))

    head = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n"
    body = (b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 8000\r\n\r\n")
    with Registry(directory / "free", tls=True) as registry:
        blob, port = fill(registry.client()), registry.port
        scene(registry, "alone", Nobody, blob)
        scene(registry, "slow heads", lambda: Holders(port, 1000, head, b"a", 1), blob)
        scene(registry, "slow bodies", lambda: Holders(port, 500, body, b"a", 5), blob)
        scene(registry, "slow readers", lambda: Holders(port, 200, read_of(registry), b"", 5), blob)
        scene(registry, "idle", lambda: Holders(port, args.idle, b"", b"", 2), blob)
        scene(registry, "after it", lambda: Pause(args.after), blob)
        scene(registry, "10x pulls", lambda: crowd(registry, pulls(registry), 200, 20), blob)
        scene(registry, "10x pushes", lambda: crowd(registry, pushes(registry, blob), 201, 1), blob)
    limits = "[registry.limits]\nrequests_per_address = 100\nrequests_per_address_burst = 200\n"
    with Registry(directory / "limited", tls=True, tables=limits) as registry:
        blob = fill(registry.client())
        can = results.get("10x pulls", {}).get("offered_per_s", 100_000) / TIMES
        scene(registry, "10x limited", lambda: crowd(registry, pulls(registry), 200, 20, can), blob)
    return results


COLUMNS = ("rounds", "failures", "turned_away", "manifest_p50_ms", "manifest_p99_ms", "blob_p50_ms", "blob_p99_ms",
           "push_p50_ms", "push_p99_ms", "level", "rss_mib", "offered_per_s", "served_per_s", "refused_per_s")


def show(name: str, row: dict) -> None:
    print(f"{name:18}" + "".join(f"{str(row.get(c, '-')):>16}" for c in COLUMNS), row.get("a_failure", ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20, help="of each scene (default 20)")
    parser.add_argument("--idle", type=int, default=10_000, help="silent connections (default 10000)")
    parser.add_argument("--crowd", type=int, default=1000, help="connections of the overload (default 1000)")
    parser.add_argument("--after", type=int, default=70, help="seconds until memory is looked at again (default 70)")
    parser.add_argument("--only", help="scenes by name, with commas")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if not args.json:
        print(f"{'':18}" + "".join(f"{c:>16}" for c in COLUMNS))
    directory = Path(tempfile.mkdtemp(prefix="cvo-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    try:
        results = run(directory, args)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if args.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
