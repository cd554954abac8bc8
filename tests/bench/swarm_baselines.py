"""What the same nodes on the same links do with libtorrent, and with plain HTTPS from the registry."""
import base64
import json
import random
import ssl
import statistics
import subprocess
import threading
import time
from pathlib import Path

from framework.lab import Lab
from measure import cpu_seconds, peak_mib
from netns_reader import socket_in

NODE = Path(__file__).with_name("libtorrent_node.py")
PORT = 26881


def regular_graph(nodes: int, degree: int, rng: random.Random) -> dict[int, list[int]]:
    """Who dials whom: everybody up to degree + 1 nodes, else rings laid over each other."""
    dials: dict[int, set[int]] = {i: set() for i in range(1, nodes + 1)}
    if nodes <= degree + 1:
        return {i: [j for j in range(i + 1, nodes + 1)] for i in dials}
    for _ in range(degree // 2):
        order = list(dials)
        rng.shuffle(order)
        for a, b in zip(order, order[1:] + order[:1]):
            if a not in dials[b]:
                dials[a].add(b)
    return {i: sorted(to) for i, to in dials.items()}


def make_torrent(directory: Path, blob: Path, piece: int) -> dict:
    """An SSL torrent of the blob, and the one certificate that all its peers show."""
    # Imported here: only the system's Python has it, and only this baseline needs it.
    script = f"""
import sys; sys.path.insert(0, "/usr/lib/python3/dist-packages")
import libtorrent as lt
fs = lt.file_storage(); fs.add_file({blob.name!r}, {blob.stat().st_size})
ct = lt.create_torrent(fs, piece_size={piece}, flags=lt.create_torrent.v2_only)
ct.set_root_cert(open({str(directory / 'ca.pem')!r}).read()); ct.set_priv(True)
lt.set_piece_hashes(ct, {str(blob.parent)!r})
open({str(directory / 'torrent')!r}, "wb").write(lt.bencode(ct.generate()))
"""
    def openssl(*args: str) -> None:
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=directory)

    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *ec, "-subj", "/CN=ca", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", *ec, "-subj", "/CN=node", "-keyout", "node.key", "-out", "node.csr")
    (directory / "ext").write_text(f"subjectAltName=DNS:{blob.name}\nextendedKeyUsage=serverAuth,clientAuth\n")
    openssl("x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-CAcreateserial",
            "-extfile", "ext", "-out", "node.pem")
    subprocess.run(["/usr/bin/python3", "-c", script], check=True)
    return {"torrent": str(directory / "torrent"), "cert": str(directory / "node.pem"),
            "key": str(directory / "node.key"), "port": PORT}


class Peer:
    def __init__(self, lab: Lab, number: int, setup: dict):
        self.process = subprocess.Popen(Lab.inside(lab.node(number), ["/usr/bin/python3", str(NODE)]),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tell(setup)
        self.result: dict = {}

    def tell(self, message: dict) -> None:
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("a libtorrent peer ended")
        return json.loads(line)


def libtorrent(directory: Path, lab: Lab, nodes: int, blob: Path, piece: int, tuned: bool, starts: list[float],
               bound: float, seed: int) -> dict:
    directory.mkdir(parents=True)
    size = blob.stat().st_size
    common = {**make_torrent(directory, blob, piece), "tuned": tuned}
    graph = regular_graph(nodes, 10, random.Random(seed))
    peers: list[Peer] = []
    try:
        origin = Peer(lab, nodes + 1, {**common, "ip": lab.ip(nodes + 1), "path": str(blob.parent), "seed": True})
        peers.append(origin)
        for i in range(1, nodes + 1):
            path = directory / f"node-{i}"
            path.mkdir()
            to = [[lab.ip(j), PORT] for j in graph[i]] + [[lab.ip(nodes + 1), PORT]]
            peers.append(Peer(lab, i, {**common, "ip": lab.ip(i), "path": str(path), "seed": False, "peers": to}))
        for p in peers:
            p.hear()

        def one(peer: Peer, wait: float) -> None:
            time.sleep(wait)
            peer.tell({})
            peer.result = peer.hear()

        before = sum(cpu_seconds(p.process.pid) for p in peers)
        threads = [threading.Thread(target=one, args=(p, s)) for p, s in zip(peers[1:], starts)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(timeout=60 + 6 * bound)
        done = [p.result for p in peers[1:]]
        if not all(done):
            return {"ratio": None, "note": f"{sum(not d for d in done)} of {nodes} not done after {60 + 6 * bound:.0f} s"}
        cpu = sum(cpu_seconds(p.process.pid) for p in peers) - before
        rss = max(peak_mib(p.process.pid) for p in peers)
        origin.tell({})
        uploaded = origin.hear()["uploaded"]
        return {"ratio": max(d["seconds"] for d in done) / bound,
                "median_ratio": statistics.median(d["seconds"] for d in done) / bound,
                "origin_copies": uploaded / size,
                "redundant_fraction": sum(d["redundant"] for d in done) / (nodes * size),
                "ttfb_ms": 1000 * max(d["first"] for d in done),
                "readable_ratio": statistics.mean(d["area"] / size for d in done) / bound,
                "cpu_s_per_gb": cpu / (nodes * size / 1e9), "rss_mib": rss}
    finally:
        for p in peers:
            p.process.kill()
            p.process.wait()


def https(lab: Lab, nodes: int, service: tuple[str, int], ca: Path, user: str, password: str,
          blobs: list[tuple[str, str, int]], starts: list[float], bound: float, seconds: float) -> dict:
    """Everybody takes all of it from the registry. After `seconds` the rest is reckoned from the
    rate of the links' second half."""
    context = ssl.create_default_context(cafile=str(ca))
    size = sum(n for _, _, n in blobs)
    repository = blobs[0][0].split("/blobs/")[0].removeprefix("/v2/")
    got = [0] * nodes
    first = [0.0] * nodes
    done = [0.0] * nodes
    marks: list[tuple[float, int]] = []
    began = time.monotonic()
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()

    def call(i: int, path: str, auth: str):
        raw = socket_in(lab.node(i + 1), service)
        raw.settimeout(60)
        tls = context.wrap_socket(raw, server_hostname=service[0])
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {service[0]}:{service[1]}\r\nAuthorization: {auth}\r\n"
                    "Connection: close\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            more = tls.recv(65536)
            if not more:
                raise AssertionError(f"registry closed: {head[:200]!r}")
            head += more
        head, _, body = head.partition(b"\r\n\r\n")
        return tls, head.decode(), body

    def fetch(i: int) -> None:
        time.sleep(starts[i])
        start = time.monotonic()
        tls, head, body = call(i, f"/token?service=convoy-registry&scope=repository:{repository}:pull",
                               f"Basic {basic}")
        while more := tls.recv(1 << 16):
            body += more
        token = json.loads(body)["token"]
        for path, _, length in blobs:
            tls, head, body = call(i, path, f"Bearer {token}")
            if " 200 " not in head.split("\r\n")[0]:
                raise AssertionError(head)
            here = len(body)
            first[i] = first[i] or time.monotonic() - start
            got[i] += here
            while here < length and time.monotonic() - began < seconds:
                n = len(tls.recv(1 << 16))
                if not n:
                    break
                here += n
                got[i] += n
            tls.close()
            if here < length:
                return
        done[i] = time.monotonic() - start

    threads = [threading.Thread(target=fetch, args=(i,), daemon=True) for i in range(nodes)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        marks.append((time.monotonic() - began, sum(got)))
        time.sleep(0.2)
    if all(done):
        return {"ratio": max(done) / bound, "median_ratio": statistics.median(done) / bound, "origin_copies": nodes,
                "ttfb_ms": 1000 * max(first)}
    end, total = marks[-1][0], sum(got)
    (t0, b0) = marks[len(marks) // 2]
    rate = (total - b0) / max(end - t0, 0.1)
    whole = end + (nodes * size - total) / max(rate, 1.0)
    return {"ratio": whole / bound, "median_ratio": whole / bound, "origin_copies": float(nodes), "ttfb_ms": 1000 * max(first),
            "note": f"reckoned from {end:.0f} s"}
