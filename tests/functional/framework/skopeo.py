"""skopeo as a client: push, pull straight, pull through a mirror."""
import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path

from .lab import Lab


class Skopeo:
    def __init__(self, directory: Path, ca: Path | None, user: str = "", password: str = "",
                 host: str = "", ns: str | None = None):
        self.dir, self.ns = directory, ns
        directory.mkdir(parents=True, exist_ok=True)
        self.certs = directory / "certs"
        self.certs.mkdir(exist_ok=True)
        if ca:
            (self.certs / "ca.crt").write_bytes(ca.read_bytes())
        self.auth = directory / "auth.json"
        entry = {host: {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}} if user else {}
        self.auth.write_text(json.dumps({"auths": entry}))

    def argv(self, *args: str, registries_conf: Path | None = None) -> list[str]:
        extra = ["--registries-conf", str(registries_conf)] if registries_conf else []
        return Lab.inside(self.ns, ["skopeo", "--insecure-policy", *extra, *args])

    def push_argv(self, layout: Path, ref: str) -> list[str]:
        return self.argv("copy", "--dest-cert-dir", str(self.certs), "--dest-authfile", str(self.auth),
                         f"oci:{layout}:latest", f"docker://{ref}")

    def pull_argv(self, ref: str, target: Path, mirror: str | None = None) -> list[str]:
        conf = None
        if mirror:
            conf = self.dir / f"registries-{target.name}.conf"
            conf.write_text(f'[[registry]]\nlocation = "{ref.split("/")[0]}"\n'
                            f'[[registry.mirror]]\nlocation = "{mirror}"\ninsecure = true\n')
        return self.argv("copy", "--src-cert-dir", str(self.certs), "--src-authfile", str(self.auth),
                         f"docker://{ref}", f"dir:{target}", registries_conf=conf)

    def push(self, layout: Path, ref: str, timeout: float = 120) -> None:
        self._run(self.push_argv(layout, ref), timeout)

    def pull(self, ref: str, target: Path, mirror: str | None = None, timeout: float = 120) -> None:
        self._run(self.pull_argv(ref, target, mirror), timeout)

    @staticmethod
    def _run(argv: list[str], timeout: float) -> None:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"


def verified_blobs(target: Path, digests: list[str]) -> int:
    """How many of these blobs stand in a `dir:` target with the digest they must have."""
    good = 0
    for digest in digests:
        file = target / digest.split(":")[1]
        if not file.exists():
            continue
        h = hashlib.sha256()
        with file.open("rb") as f:
            while chunk := f.read(1 << 20):
                h.update(chunk)
        good += "sha256:" + h.hexdigest() == digest
    return good
