#!/usr/bin/env python3
"""One seeding agent, one downloading agent, all security on; nginx TLS -> curl | sha256sum beside it.

Prints CPU seconds per GB of each side, throughput and peak memory; medians over the runs.
"""
import argparse
import getpass
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))

from framework.cluster import Cluster  # noqa: E402
from framework.image import CONFIG, LAYER, MANIFEST  # noqa: E402
from framework.skopeo import Skopeo  # noqa: E402
from measure import cpu_seconds, fill_memory, median, peak_mib  # noqa: E402


def put(blobs: Path, data: bytes) -> dict:
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    return {"digest": f"sha256:{name}", "size": len(data)}


def big_image(layout: Path, size: int) -> tuple[str, int]:
    """An image of one layer of random bytes, written as they are made; its digest and length."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with gzip.open(blobs / "new", "wb", compresslevel=0) as f:
        for _ in range(size >> 20):
            f.write(os.urandom(1 << 20))
    with (blobs / "new").open("rb") as f:
        name = hashlib.file_digest(f, "sha256").hexdigest()
    length = (blobs / "new").stat().st_size
    (blobs / "new").rename(blobs / name)
    layer = {"mediaType": LAYER, "digest": f"sha256:{name}", "size": length}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": [f"sha256:{name}"]}})
    config = {"mediaType": CONFIG, **put(blobs, config.encode())}
    manifest = put(blobs, json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config,
                                      "layers": [layer]}).encode())
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": MANIFEST, **manifest, "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return layer["digest"], length


def get_blob(agent, c, digest: str) -> float:
    """Takes the blob through an agent's mirror, throws it away; seconds."""
    url = f"http://{agent.endpoints['mirror']}/v2/lab/big/blobs/{digest}"
    start = time.monotonic()
    subprocess.run(["curl", "-sf", "-o", "/dev/null", url], check=True)
    return time.monotonic() - start


def kernel_sends() -> int:
    """Connections whose sending the kernel encrypted so far, of all programs."""
    try:
        stat = dict(line.split() for line in Path("/proc/net/tls_stat").read_text().splitlines())
    except FileNotFoundError:
        return 0
    return int(stat["TlsTxSw"]) + int(stat["TlsTxDevice"])


def convoy_run(directory: Path, size: int) -> dict:
    digest, length = big_image(directory / "img", size)
    with Cluster(directory / "c", agents_wanted=2) as c:
        client = Skopeo(directory / "skopeo", c.ca, c.user, c.password, c.host)
        client.push(directory / "img", c.ref("lab/big:1"), timeout=600)
        shutil.rmtree(directory / "img")
        fill_memory(directory)
        seeder, leecher = c.agents
        get_blob(seeder, c, digest)
        # The second one gets its token; from then on only the first can give it the blob.
        manifest = f"http://{leecher.endpoints['mirror']}/v2/lab/big/manifests/1"
        subprocess.run(["curl", "-sf", "-o", "/dev/null", manifest], check=True)
        c.registry.kill()
        by_kernel = kernel_sends()
        before = [cpu_seconds(a.process.pid) for a in c.agents]
        seconds = get_blob(leecher, c, digest)
        after = [cpu_seconds(a.process.pid) for a in c.agents]
        from_peers = sum(p["bytes"]["peers"] for p in leecher.status())
        assert from_peers >= length * 0.99, f"only {from_peers} of {length} bytes came from the peer"
        gb = length / 1e9
        return {"seeder_cpu_s_per_gb": (after[0] - before[0]) / gb,
                "leecher_cpu_s_per_gb": (after[1] - before[1]) / gb,
                "mb_per_s": length / 1e6 / seconds,
                "rss_mib": max(a.rss_mib() for a in c.agents),
                "kernel_tls": int(kernel_sends() > by_kernel)}


NGINX = """
user {user}; worker_processes 1; daemon off; pid {d}/nginx.pid; error_log {d}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on;
  client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {d}/crt; ssl_certificate_key {d}/key;
           ssl_protocols TLSv1.3; root {d}/www; }}
}}
"""


def nginx_run(directory: Path, size: int) -> dict:
    directory.mkdir()
    (directory / "www").mkdir()
    fill_memory(directory)
    with (directory / "www" / "blob").open("wb") as f:
        for _ in range(size >> 20):
            f.write(os.urandom(1 << 20))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                    "-keyout", directory / "key", "-out", directory / "crt"], check=True, capture_output=True)
    port = 20000 + os.getpid() % 20000
    (directory / "conf").write_text(NGINX.format(d=directory, port=port, user=getpass.getuser()))
    server = subprocess.Popen(["nginx", "-c", str(directory / "conf")])
    try:
        time.sleep(0.5)
        worker = int(subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True,
                                    check=True).stdout.split()[0])
        before = cpu_seconds(worker)
        children = os.times()
        start = time.monotonic()
        pipe = f"curl -sf --cacert {directory}/crt https://127.0.0.1:{port}/blob | sha256sum >/dev/null"
        subprocess.run(["bash", "-o", "pipefail", "-c", pipe], check=True)
        seconds = time.monotonic() - start
        done = os.times()
        leecher = (done.children_user + done.children_system - children.children_user - children.children_system)
        gb = size / 1e9
        return {"seeder_cpu_s_per_gb": (cpu_seconds(worker) - before) / gb,
                "leecher_cpu_s_per_gb": leecher / gb, "mb_per_s": size / 1e6 / seconds,
                "rss_mib": peak_mib(worker)}
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="MiB (default 1024)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    ours, theirs = [], []
    for _ in range(args.runs):
        directory = Path(tempfile.mkdtemp(prefix="cvb-", dir=os.environ.get("TMPDIR", "/var/tmp")))
        try:
            theirs.append(nginx_run(directory / "nginx", args.size << 20))
            shutil.rmtree(directory / "nginx")
            ours.append(convoy_run(directory, args.size << 20))
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    result = {**median(ours), "baseline": median(theirs)}
    if args.json:
        print(json.dumps(result))
        return
    print(f"{'':24}{'convoy':>10}{'nginx|curl|sha256':>20}{'ratio':>8}")
    for key in ("seeder_cpu_s_per_gb", "leecher_cpu_s_per_gb", "mb_per_s", "rss_mib"):
        base = result["baseline"][key]
        ratio = f"{result[key] / base:.2f}" if base else "-"
        print(f"{key:24}{result[key]:>10}{base:>20}{ratio:>8}")


if __name__ == "__main__":
    main()
