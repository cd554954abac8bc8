#!/usr/bin/env python3
"""The registry's cost beside other registries and nginx, all on loopback, in one run.

Prints CPU time of the server (user + system, from the kernel) for each request or GiB, memory for
each upload of many at once, the time of pages of a long tag list, and the slowest 1 % of manifest
requests with and without collection and scrub; medians over the rounds. docs/operations/benchmarks.md
says what each line is.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))

from framework.cluster import convoy  # noqa: E402
from measure import warm_memory  # noqa: E402
from registry_servers import (NAME, Convoy, Distribution, Nginx, Server, fetch_debian,  # noqa: E402
                              fetch_distribution_3, request)

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MIB = 1 << 20
GIB = 1 << 30

# What Convoy is held to. The ratio counts p99 under maintenance against p99 without.
GOALS = {"manifest_get_ms": 0.06, "small_blob_get_ms": 0.06, "known_token_ms": 0.04, "get_cpu_s_per_gib": 0.20,
         "get_tls_cpu_s_per_gib": 0.70, "put_cpu_s_per_gib": 1.7, "put_chunked_cpu_s_per_gib": 1.7,
         "mib_per_upload": 0.5, "tag_page_worst_ms": 10, "p99_ratio": 2.0}


def manifest_of(config: str, layer: str, note: str = "") -> bytes:
    body = {"schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": config, "size": 2},
            "layers": [{"mediaType": LAYER, "digest": layer, "size": 10240}]}
    if note:
        body["annotations"] = {"note": note}
    return json.dumps(body).encode()


def wrk(server: Server, path: str, seconds: float, headers: dict | None = None, connections: int = 16,
        script: str = "") -> dict:
    """Requests over kept connections; how many, and the time that 99 % stayed below."""
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    for key, value in (headers or {}).items():
        argv += ["-H", f"{key}: {value}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        if script:
            file.write(script)
            file.flush()
            argv += ["-s", file.name]
        text = subprocess.run([*argv, server.url + path], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in text and "Socket errors" not in text, text
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return {"requests": int(re.search(r"(\d+) requests in", text)[1]),
            "p99_ms": float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]}


def cpu_ms(server: Server, path: str, seconds: float, headers: dict | None = None, script: str = "") -> float:
    wrk(server, path, 1, headers, script=script)
    before = server.cpu()
    done = wrk(server, path, seconds, headers, script=script)
    return (server.cpu() - before) * 1000 / done["requests"]


def cpu_of_get(server: Server, digest: str, size: int) -> float:
    argv = ["curl", "-skf", "-o", "/dev/null"]
    for key, value in server.headers().items():
        argv += ["-H", f"{key}: {value}"]
    before = server.cpu()
    for _ in range(2):
        subprocess.run([*argv, f"{server.url}/v2/{NAME}/blobs/{digest}"], check=True)
    return (server.cpu() - before) / (2 * size / GIB)


def cpu_of_put(server: Server, body: bytearray, chunk: int) -> float:
    body[:8] = os.urandom(8)
    warm_memory(server.dir, 2 * len(body) // MIB)
    before = server.cpu()
    server.push_blob(body, chunk)
    return (server.cpu() - before) / (len(body) / GIB)


def memory_of_uploads(server: Server, count: int = 64, size: int = 16 * MIB) -> float:
    """MiB more for each of `count` uploads that are all half-way at one moment."""
    body = os.urandom(size)
    met = threading.Barrier(count)
    server.push_blob(os.urandom(size))
    before = server.memory("VmRSS")
    server.forget_peak()
    with ThreadPoolExecutor(count) as pool:
        jobs = [pool.submit(server.push_blob, body, pause=lambda: met.wait(60)) for _ in range(count)]
        for job in jobs:
            job.result()
    return (server.memory("VmHWM") - before) / count


def first_seen_token_ms(server: Convoy, path: str, seconds: float, known: float) -> float:
    """What the first request of a token costs more than its later ones."""
    client = server.registry.client(None)
    tokens = [client.token(f"repository:{NAME}:pull") for _ in range(6000)]
    script = ("local t = {" + ",".join(f'"{t}"' for t in tokens) + "}\nlocal i = 0\n"
              "request = function() i = i % #t + 1; wrk.headers['Authorization'] = 'Bearer ' .. t[i]\n"
              "return wrk.format() end\n")
    return cpu_ms(server, path, seconds, script=script) - known


def measure_plain(server: Server, args) -> dict:
    out = {}
    if server.takes_pushes:
        server.forget_peak()
        out["mib_per_upload"] = memory_of_uploads(server)
        time.sleep(2)  # a GiB at once may have made it busy, which it is for a second more
    config = server.push_blob(b"{}")
    layer = server.push_blob(os.urandom(10240))
    server.push_manifest("1", manifest_of(config, layer), MANIFEST)
    manifest = f"/v2/{NAME}/manifests/1"
    accept = {"Accept": MANIFEST}
    out["manifest_get_ms"] = cpu_ms(server, manifest, args.seconds, {**server.headers(), **accept})
    out["small_blob_get_ms"] = cpu_ms(server, f"/v2/{NAME}/blobs/{layer}", args.seconds, server.headers())
    if isinstance(server, Convoy):
        out["known_token_ms"] = cpu_ms(server, "/v2/", args.seconds, server.headers())
        out["new_token_ms"] = first_seen_token_ms(server, manifest, args.seconds, out["manifest_get_ms"])
    body = bytearray(os.urandom(args.size * MIB))
    if server.takes_pushes:
        out["put_cpu_s_per_gib"] = cpu_of_put(server, body, 0)
        out["put_chunked_cpu_s_per_gib"] = cpu_of_put(server, body, 16 * MIB)
    out["get_cpu_s_per_gib"] = cpu_of_get(server, server.push_blob(body), len(body))
    return out


def measure_tls(server: Server, args) -> dict:
    body = bytearray(os.urandom(args.size * MIB))
    return {"get_tls_cpu_s_per_gib": cpu_of_get(server, server.push_blob(body), len(body))}


# A full registry

def fill(server: Convoy, args) -> None:
    """Manifests without a tag, one repository with very many tags, GiBs of blobs."""
    config, layer = server.push_blob(b"{}"), server.push_blob(os.urandom(10240))
    body = manifest_of(config, layer)
    server.push_manifest("1", body, MANIFEST)
    local = threading.local()

    def put(path: str, data: bytes) -> None:
        if time.monotonic() > getattr(local, "until", 0):
            local.connection = server.connect()
            local.headers = {**server.headers("pull,push"), "Content-Type": MANIFEST}
            local.until = time.monotonic() + 120
        request(local.connection, "PUT", path, data, local.headers)

    def put_one(i: int) -> None:
        data = manifest_of(config, layer, f"number {i}")
        put(f"/v2/{NAME}/manifests/sha256:{hashlib.sha256(data).hexdigest()}", data)

    def put_tags(first: int) -> None:
        tags = "&".join(f"tag=v{i:06d}" for i in range(first, min(first + 32, args.tags)))
        put(f"/v2/{NAME}/manifests/sha256:{hashlib.sha256(body).hexdigest()}?{tags}", body)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put_one, range(args.manifests)))
        list(pool.map(put_tags, range(0, args.tags, 32)))
    big = bytearray(os.urandom(args.size * MIB))
    for _ in range(0, args.store, args.size):
        big[:8] = os.urandom(8)
        server.push_blob(big)


def tag_pages(server: Convoy, count: int, n: int = 100) -> dict:
    """Milliseconds of a page at the beginning, in the middle, at the end of the list."""
    connection, headers, out = server.connect(), server.headers(), {}
    for where, last in (("first", ""), ("middle", f"v{count // 2:06d}"), ("last", f"v{count - n - 1:06d}")):
        times = []
        for _ in range(50):
            began = time.monotonic()
            query = urllib.parse.urlencode({"n": n, "last": last})
            _, data = request(connection, "GET", f"/v2/{NAME}/tags/list?{query}", None, headers)
            times.append((time.monotonic() - began) * 1000)
        assert len(json.loads(data)["tags"]) == n
        out[f"tag_page_{where}_ms"] = statistics.median(times)
    out["tag_page_worst_ms"] = max(out.values())
    return out


# Each connection asks, on average, a hundred times a second: nearly idle, so that what is seen is
# what maintenance adds and not the queue of a busy server.
PACED = "function delay() return math.random(5, 15) end\n"


def busy_seconds() -> float:
    """CPU time that the machine spent on anything since its start."""
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def p99(server: Convoy, args, busy: bool) -> tuple[float, float, float]:
    """The slowest 1 % of requests, ms; for each second meanwhile the CPU time of the server, and of
    all that is neither server nor bench."""
    over = threading.Event()
    failures = []

    def keep(command: str) -> None:
        while not over.is_set():
            done = convoy(command, "--config", str(server.registry.role.config), check=False)
            if done.returncode != 0:
                failures.append(done.stderr)
                return

    threads = [threading.Thread(target=keep, args=(c,)) for c in ("gc", "scrub") if busy]
    for thread in threads:
        thread.start()
    headers = {**server.headers(), "Accept": MANIFEST}
    ours, all_of_it, began = server.cpu(), busy_seconds() - sum(os.times()[:4]), time.monotonic()
    value = wrk(server, f"/v2/{NAME}/manifests/1", args.seconds * 2, headers, script=PACED)["p99_ms"]
    seconds = time.monotonic() - began
    cpu = (server.cpu() - ours) / seconds
    others = (busy_seconds() - sum(os.times()[:4]) - all_of_it) / seconds - cpu
    over.set()
    for thread in threads:
        thread.join()
    assert not failures, failures
    return value, cpu, max(others, 0)


def measure_full(directory: Path, args) -> list[dict]:
    server = Convoy(directory, None, tables='[registry.gc]\ninterval = "0s"\n[registry.scrub]\ninterval = "0s"\n')
    server.start()
    try:
        began = time.monotonic()
        fill(server, args)
        print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
        rows = []
        for _ in range(args.rounds):
            row = tag_pages(server, args.tags)
            row["p99_quiet_ms"], row["cpu_quiet"], row["others_quiet"] = p99(server, args, False)
            row["p99_maintained_ms"], row["cpu_maintained"], row["others_maintained"] = p99(server, args, True)
            row["p99_ratio"] = row["p99_maintained_ms"] / row["p99_quiet_ms"]
            rows.append(row)
        return rows
    finally:
        server.stop()


# All of it

def contestants() -> tuple[list, dict]:
    """Makers of servers by (directory, tls), and what is missing for which reason."""
    makers, missing = [Convoy], {}
    program, why = fetch_debian("docker-registry", "docker-registry")
    if program:
        makers.append(lambda d, tls: Distribution(d, tls, "distribution 2.8", program))
    else:
        missing["distribution 2.8"] = why
    third, why = fetch_distribution_3()
    if third:
        makers.append(lambda d, tls: Distribution(d, tls, "distribution 3.0", third))
    else:
        missing["distribution 3.0"] = why
    makers.append(Nginx)
    return makers, missing


def make_certificate(directory: Path) -> Path:
    directory.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                    "-keyout", directory / "key", "-out", directory / "crt"], check=True, capture_output=True)
    return directory


def measure_once(maker, tls: Path | None, measure, args) -> tuple[str, dict]:
    directory = Path(tempfile.mkdtemp(prefix="cvr-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    server = maker(directory, tls)
    try:
        server.start()
        return server.name, measure(server, args)
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def median(rows: list[dict]) -> dict:
    keys = list(dict.fromkeys(k for row in rows for k in row))
    return {k: round(statistics.median(row[k] for row in rows if k in row), 4) for k in keys}


def run(args) -> dict:
    makers, missing = contestants() if args.costs else ([], {})
    rows: dict[str, list[dict]] = {}
    directory = Path(tempfile.mkdtemp(prefix="cvr-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    try:
        tls = make_certificate(directory / "tls")
        for _ in range(args.rounds):
            for maker in makers:
                name, row = measure_once(maker, None, measure_plain, args)
                row.update(measure_once(maker, tls, measure_tls, args)[1])
                print(name, row, file=sys.stderr)
                rows.setdefault(name, []).append(row)
        if args.full:
            rows["convoy"] = rows.get("convoy", []) + measure_full(directory, args)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return {"rounds": args.rounds, "results": {name: median(r) for name, r in rows.items()}, "missing": missing,
            "goals": GOALS}


def table(result: dict) -> str:
    names = list(result["results"])
    keys = list(dict.fromkeys(k for n in names for k in result["results"][n]))
    lines = [f"{'':28}" + "".join(f"{n:>18}" for n in names) + f"{'goal':>10}"]
    for key in keys:
        cells = "".join(f"{result['results'][n].get(key, '-'):>18}" for n in names)
        goal = GOALS.get(key)
        ours = result["results"]["convoy"].get(key)
        verdict = "  MISSED" if goal is not None and ours is not None and ours > goal else ""
        lines.append(f"{key:28}{cells}{goal or '-':>10}{verdict}")
    lines += [f"not had: {name}: {why}" for name, why in result["missing"].items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement of requests (default 4)")
    parser.add_argument("--size", type=int, default=512, help="MiB of a large blob (default 512)")
    parser.add_argument("--tags", type=int, default=100_000)
    parser.add_argument("--manifests", type=int, default=30_000)
    parser.add_argument("--store", type=int, default=4096, help="MiB that are scrubbed (default 4096)")
    parser.add_argument("--no-full", dest="full", action="store_false", help="leave out the full registry")
    parser.add_argument("--only-full", dest="costs", action="store_false", help="nothing but the full registry")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = run(args)
    print(json.dumps(result) if args.json else table(result))


if __name__ == "__main__":
    main()
