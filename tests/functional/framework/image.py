"""Real, runnable multi-layer images in OCI layouts, made without a network.

The image's command, /bin/selftest, checks the SHA-256 of every data file and prints
"selftest ok SEED": one `run` proves fetch, verify, unpack and mount.
"""
import gzip
import hashlib
import io
import json
import random
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

SELFTEST = """#!/bin/sh
cd / && sha256sum -cs /etc/sums || { echo "selftest FAILED: a data file differs"; exit 1; }
echo "selftest ok $(cat /etc/seed)"
"""


@dataclass
class Image:
    layout: Path
    seed: str
    blobs: list[tuple[str, int]]  # digest and size, config first
    manifest_digest: str

    @property
    def size(self) -> int:
        return sum(n for _, n in self.blobs)

    @property
    def largest(self) -> tuple[str, int]:
        return max(self.blobs, key=lambda b: b[1])


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_image(layout: Path, sizes: list[int], seed: str = "lab") -> Image:
    """One busybox layer and a layer of random bytes for each of `sizes`."""
    busybox = shutil.which("busybox")
    assert busybox, "busybox-static is needed"
    blobs_dir = layout / "blobs" / "sha256"
    blobs_dir.mkdir(parents=True)
    rng = random.Random(seed)
    def random_bytes(size: int) -> bytes:  # randbytes() itself ends at 256 MiB
        step = 16 << 20
        return b"".join(rng.randbytes(min(step, size - at)) for at in range(0, size, step))

    data = {f"data/file{i}": random_bytes(size) for i, size in enumerate(sizes, 1)}
    sums = "".join(f"{hashlib.sha256(d).hexdigest()}  {name}\n" for name, d in data.items())

    def put(raw: bytes) -> tuple[str, int]:
        digest = sha256(raw)
        (blobs_dir / digest.split(":")[1]).write_bytes(raw)
        return digest, len(raw)

    layers, diff_ids = [], []

    def add_layer(fill) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            fill(tar)
        diff_ids.append(sha256(buffer.getvalue()))
        digest, size = put(gzip.compress(buffer.getvalue(), compresslevel=0, mtime=0))
        layers.append({"mediaType": LAYER, "digest": digest, "size": size})

    def file(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(content), mode, 1_700_000_000
        tar.addfile(info, io.BytesIO(content))

    def folder(tar: tarfile.TarFile, name: str) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, 1_700_000_000
        tar.addfile(info)

    def base(tar: tarfile.TarFile) -> None:
        for name in ("bin", "etc", "tmp", "proc", "sys", "dev", "run", "data"):
            folder(tar, name)
        file(tar, "bin/busybox", Path(busybox).read_bytes(), 0o755)
        for applet in ("sh", "cat", "sha256sum", "echo", "ls"):
            info = tarfile.TarInfo(f"bin/{applet}")
            info.type, info.linkname, info.mtime = tarfile.SYMTYPE, "busybox", 1_700_000_000
            tar.addfile(info)
        file(tar, "bin/selftest", SELFTEST.encode(), 0o755)
        file(tar, "etc/sums", sums.encode())
        file(tar, "etc/seed", seed.encode())
        file(tar, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")

    add_layer(base)
    for name, content in data.items():
        add_layer(lambda tar, n=name, c=content: file(tar, n, c))

    config = put(json.dumps({
        "architecture": "amd64", "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/selftest"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }).encode())
    manifest = put(json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config[0], "size": config[1]},
        "layers": layers,
    }).encode())
    (layout / "index.json").write_text(json.dumps({
        "schemaVersion": 2,
        "manifests": [{"mediaType": MANIFEST, "digest": manifest[0], "size": manifest[1],
                       "annotations": {"org.opencontainers.image.ref.name": "latest"}}],
    }))
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return Image(layout, seed, [config] + [(l["digest"], l["size"]) for l in layers], manifest[0])
