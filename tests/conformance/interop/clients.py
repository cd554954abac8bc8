"""Registry clients of others, each command of theirs a case."""
import os
import shutil
import subprocess
from pathlib import Path

from fetch import BIN, CLIENTS, fetch_client
from framework.registry import Registry
from row import Row


class Steps:
    """Commands of one client, each a case; what a command printed is for the next to use."""

    def __init__(self, row: Row, program: str, directory: Path, registry: Registry):
        found = BIN / program
        self.program = str(found) if found.exists() else program
        self.row, self.directory = row, directory / program
        self.directory.mkdir()
        self.environment = {**os.environ, "HOME": str(self.directory), "SSL_CERT_FILE": str(registry.ca),
                            "DOCKER_CONFIG": str(self.directory / "docker"),
                            "REGCTL_CONFIG": str(self.directory / "regctl.json")}

    def run(self, *args: str, stdin: str | None = None, says: str = "", refused: bool = False) -> str:
        done = subprocess.run([self.program, *args], cwd=self.directory, env=self.environment, input=stdin,
                              capture_output=True, text=True, timeout=120)
        output = done.stdout + done.stderr
        if (done.returncode != 0) == refused and says in output:
            self.row.passed += 1
        else:
            self.row.failed += 1
            shown = " ".join("***" if before in ("-p", "--password") else arg
                             for before, arg in zip(("", *args), args))
            self.row.faults.append(f"{Path(self.program).name} {shown}\n    status {done.returncode}, "
                                   f"expected {says!r}: {output.strip()[-600:]}")
        return done.stdout.strip()


def client(name: str, what: str, play, registry: Registry, directory: Path, layout: Path) -> Row:
    row = Row(f"{name} {CLIENTS[name][1]}", what)
    row.missing = fetch_client(name)
    if not row.missing:
        play(Steps(row, name, directory, registry), registry, layout)
    return row


def play_crane(do: Steps, registry: Registry, layout: Path) -> None:
    app, copy = f"{registry.host}/conf/crane", f"{registry.host}/conf/crane-copy"
    do.run("digest", f"{app}:v1", refused=True)
    do.run("auth", "login", registry.host, "-u", "alice", "-p", registry.password)
    do.run("push", str(layout), f"{app}:v1")
    digest = do.run("digest", f"{app}:v1", says="sha256:")
    do.run("validate", "--remote", f"{app}:v1", says="PASS")
    do.run("manifest", f"{app}@{digest}", says="layers")
    do.run("config", f"{app}:v1", says="architecture")
    do.run("copy", f"{app}:v1", f"{copy}:v1")
    do.run("digest", f"{copy}:v1", says=digest)
    do.run("tag", f"{app}:v1", "v2")
    do.run("ls", app, says="v2")
    do.run("pull", "--format=oci", f"{copy}:v1", "pulled")
    do.run("push", "pulled", f"{copy}:again")
    do.run("digest", f"{copy}:again", says=digest)
    do.run("mutate", f"{app}:v1", "--label", "a=b", "-t", f"{app}:changed")
    do.run("validate", "--remote", f"{app}:changed", says="PASS")
    do.run("index", "append", "-m", f"{app}:v1", "-m", f"{app}:changed", "-t", f"{app}:index")
    do.run("index", "append", "--docker-empty-base", "-m", f"{app}:v1", "-t", f"{app}:list")
    do.run("manifest", f"{app}:list", says="manifest.list.v2+json")
    do.run("validate", "--remote", f"{app}:index")
    do.run("copy", f"{app}:index", f"{copy}:index")
    do.run("catalog", registry.host, says="conf/crane-copy")
    do.run("delete", f"{copy}@{digest}")
    do.run("digest", f"{copy}:again", refused=True)


def play_regctl(do: Steps, registry: Registry, layout: Path) -> None:
    app, copy = f"{registry.host}/conf/regctl", f"{registry.host}/conf/regctl-copy"
    do.run("registry", "login", registry.host, "-u", "alice", "-p", registry.password)
    # Chunks of 1 MiB from 1 MiB on, so that chunked uploads are used.
    do.run("registry", "set", registry.host, "--blob-chunk", str(1 << 20), "--blob-max", str(1 << 20))
    do.run("image", "copy", f"ocidir://{layout}:latest", f"{app}:v1")
    digest = do.run("image", "digest", f"{app}:v1", says="sha256:")
    do.run("manifest", "get", f"{app}:v1", says="Layers")
    do.run("manifest", "head", f"{app}:v1", says=digest)
    do.run("tag", "ls", app, says="v1")
    do.run("repo", "ls", registry.host, says="conf/regctl")
    blob = do.run("blob", "put", app, stdin="some bytes", says="sha256:")
    do.run("blob", "get", app, blob, says="some bytes")
    do.run("blob", "head", app, blob)
    do.run("blob", "copy", app, copy, blob)
    do.run("blob", "get", copy, blob, says="some bytes")
    do.run("artifact", "put", "--artifact-type", "application/spdx+json", "--subject", f"{app}:v1",
           "--annotation", "a=b", stdin="{}")
    do.run("artifact", "put", "--artifact-type", "application/example", "--subject", f"{app}:v1", stdin="x")
    do.run("artifact", "list", f"{app}:v1", says="application/example")
    do.run("artifact", "list", f"{app}:v1", "--filter-artifact-type", "application/spdx+json",
           says="application/spdx+json")
    do.run("artifact", "get", "--subject", f"{app}:v1", "--filter-artifact-type", "application/example", says="x")
    do.run("artifact", "tree", f"{app}:v1", says="application/spdx+json")
    do.run("index", "create", f"{app}:index", "--ref", f"{app}:v1")
    do.run("image", "copy", "--referrers", "--digest-tags", f"{app}:v1", f"{copy}:v1")
    do.run("artifact", "list", f"{copy}:v1", says="application/spdx+json")
    do.run("image", "copy", f"{copy}:v1", "ocidir://back:v1")
    do.run("image", "digest", "ocidir://back:v1", says=digest)
    do.run("tag", "delete", f"{copy}:v1")
    do.run("image", "digest", f"{copy}:v1", refused=True)
    do.run("image", "digest", f"{copy}@{digest}", says=digest)
    do.run("manifest", "delete", "--referrers", f"{copy}@{digest}")
    do.run("manifest", "head", f"{copy}@{digest}", refused=True)


def play_oras(do: Steps, registry: Registry, layout: Path) -> None:
    app, copy = f"{registry.host}/conf/oras", f"{registry.host}/conf/oras-copy"
    (do.directory / "note.txt").write_text("a note\n")
    do.run("login", registry.host, "-u", "alice", "-p", registry.password)
    do.run("push", f"{app}:v1", "--artifact-type", "application/example", "note.txt:text/plain")
    do.run("attach", f"{app}:v1", "--artifact-type", "application/signature", "note.txt:text/plain")
    do.run("discover", f"{app}:v1", says="application/signature")
    digest = do.run("resolve", f"{app}:v1", says="sha256:")
    do.run("cp", "-r", f"{app}:v1", f"{copy}:v1")
    do.run("discover", f"{copy}:v1", says="application/signature")
    do.run("pull", f"{copy}:v1", "-o", "pulled")
    do.run("cp", "--from-oci-layout", f"{layout}:latest", f"{app}:image")
    do.run("tag", f"{app}:v1", "v2", "v3")
    do.run("repo", "tags", app, says="v3")
    do.run("manifest", "fetch", f"{app}:v1", says="application/example")
    do.run("manifest", "delete", "-f", f"{copy}@{digest}")
    do.run("resolve", f"{copy}:v1", refused=True)


def skopeo(registry: Registry, directory: Path, layout: Path) -> Row:
    row = Row("skopeo", "both formats, copy, list, delete")
    if not shutil.which("skopeo"):
        row.missing = "skopeo is not installed"
        return row
    do = Steps(row, "skopeo", directory, registry)
    row.program = " ".join(do.run("--version").split()[:3:2])
    app, copy = f"docker://{registry.host}/conf/skopeo", f"docker://{registry.host}/conf/skopeo-copy"
    shutil.copy(registry.ca, do.directory / "ca.crt")
    certs, policy = ("--cert-dir", "."), "--insecure-policy"
    both = ("--src-cert-dir", ".", "--dest-cert-dir", ".")
    do.run("inspect", *certs, f"{app}:v1", refused=True)
    do.run("login", *certs, "-u", "alice", "-p", registry.password, registry.host, says="Succeeded")
    do.run(policy, "copy", *both, f"oci:{layout}:latest", f"{app}:v1")
    do.run(policy, "copy", *both, "--format", "v2s2", f"oci:{layout}:latest", f"{app}:docker")
    do.run("inspect", *certs, "--raw", f"{app}:docker", says="distribution.manifest.v2+json")
    do.run("inspect", *certs, f"{app}:v1", says="amd64")
    do.run("list-tags", *certs, app, says="docker")
    # The blobs are mounted.
    do.run(policy, "copy", *both, f"{app}:v1", f"{copy}:v1")
    do.run(policy, "copy", *both, f"{copy}:v1", "dir:back")
    do.run("delete", *certs, f"{copy}:v1")
    do.run("inspect", *certs, f"{copy}:v1", refused=True)
    return row
