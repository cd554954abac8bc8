#!/usr/bin/env python3
"""Foreign programs against a freshly started registry, one table at the end.

Fetches as Go modules the official conformance programs of the distribution-spec and the clients
crane, regctl and oras, as far as they can be had; skopeo is the distribution's. What cannot be had is said loudly and fails
nothing; what was had and does not agree with the registry ends this with status 1. A program that
stands in build/interop/bin already (conformance-v1.1.1, conformance-main, crane, regctl, oras) is
taken as it is.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "functional"))

from framework.image import make_image  # noqa: E402
from framework.registry import Registry  # noqa: E402

BIN = Path(os.environ.get("CONVOY_INTEROP_BIN", ROOT / "build" / "interop" / "bin"))
SUITE = "github.com/opencontainers/distribution-spec/conformance"
# The suite has no tags of its own: this is the commit that the spec's v1.1.1 names.
SUITE_1_1_1 = "v0.0.0-20250123160558-a139cc423184"
CLIENTS = {
    "crane": ("github.com/google/go-containerregistry/cmd/crane", "v0.22.1"),
    "regctl": ("github.com/regclient/regclient/cmd/regctl", "v0.11.7"),
    "oras": ("oras.land/oras/cmd/oras", "v1.3.0"),
}


@dataclass
class Row:
    program: str
    what: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    missing: str = ""            # why it could not be had
    faults: list[str] = field(default_factory=list)


# Fetching

def find_go() -> str | None:
    return shutil.which("go") or next((p for p in ("/usr/local/go/bin/go",) if os.access(p, os.X_OK)), None)


def go(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    program = find_go()
    if program is None:
        return subprocess.CompletedProcess(args, 1, "", "Go is not installed")
    environment = {**os.environ, "GOBIN": str(BIN), "CGO_ENABLED": "0"}
    try:
        return subprocess.run([program, *args], cwd=cwd or tempfile.gettempdir(), env=environment,
                              capture_output=True, text=True, timeout=1200)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(args, 1, "", "no answer in 20 minutes")


def why(done: subprocess.CompletedProcess) -> str:
    lines = [l.strip() for l in (done.stderr + done.stdout).splitlines()]
    lines = [l for l in lines if l and not l.startswith("go: downloading")]
    text = " | ".join(lines)
    return text if len(text) <= 300 else "..." + text[-300:]


def fetch_client(name: str) -> str:
    """What was in the way; "" when the program is there."""
    if (BIN / name).exists():
        return ""
    module, version = CLIENTS[name]
    done = go("install", f"{module}@{version}")
    return "" if done.returncode == 0 else why(done)


def fetch_suite_1_1_1() -> str:
    target = BIN / "conformance-v1.1.1"
    if target.exists():
        return ""
    done = go("mod", "download", "-json", f"{SUITE}@{SUITE_1_1_1}")
    if done.returncode != 0:
        return why(done)
    done = go("test", "-c", "-o", str(target), cwd=Path(json.loads(done.stdout)["Dir"]))
    return "" if done.returncode == 0 else why(done)


def fetch_suite_main() -> str:
    target = BIN / "conformance-main"
    if target.exists():
        return ""
    done = go("install", f"{SUITE}@main")
    if done.returncode != 0:
        return why(done)
    (BIN / "conformance").rename(target)
    return ""


# The official programs

def read_junit(path: Path, row: Row) -> None:
    if not path.exists():
        row.failed += 1
        row.faults.append(f"{path.name} was not written")
        return
    for case in xml.parse(path).getroot().iter("testcase"):
        if (fault := case.find("failure")) is None:
            fault = case.find("error")
        if fault is not None:
            row.failed += 1
            row.faults.append(f"{case.get('name')}: {(fault.get('message') or fault.text or '').strip()[:300]}")
        elif case.find("skipped") is not None or case.get("status") in ("skipped", "disabled"):
            row.skipped += 1
        else:
            row.passed += 1


def run_suite(program: Path, row: Row, directory: Path, environment: dict) -> None:
    directory.mkdir()
    done = subprocess.run([str(program)], cwd=directory, env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=1200)
    (directory / "output").write_text(done.stdout + done.stderr)
    read_junit(directory / "junit.xml", row)
    if done.returncode != 0 and not row.failed:
        row.failed += 1
        row.faults.append(f"exit status {done.returncode}: {(done.stdout + done.stderr)[-500:]}")


def suite_1_1_1(registry: Registry, directory: Path) -> Row:
    row = Row("conformance v1.1.1", "pull, push, content discovery and management")
    row.missing = fetch_suite_1_1_1()
    if not row.missing:
        run_suite(BIN / "conformance-v1.1.1", row, directory / "suite-1.1.1", {
            "OCI_ROOT_URL": f"https://{registry.host}", "OCI_NAMESPACE": "conf/old",
            "OCI_CROSSMOUNT_NAMESPACE": "conf/old-mounts", "OCI_USERNAME": "alice",
            "OCI_PASSWORD": registry.password, "OCI_TEST_PULL": "1", "OCI_TEST_PUSH": "1",
            "OCI_TEST_CONTENT_DISCOVERY": "1", "OCI_TEST_CONTENT_MANAGEMENT": "1",
            "OCI_REPORT_DIR": str(directory / "suite-1.1.1"), "SSL_CERT_FILE": str(registry.ca)})
    return row


def suite_main(registry: Registry, directory: Path, profile: str) -> Row:
    row = Row("conformance main", f"profile {profile}")
    row.missing = fetch_suite_main()
    if not row.missing:
        # The second repository is one that everyone reads, as anonymous mounts need.
        run_suite(BIN / "conformance-main", row, directory / f"suite-{profile}", {
            "OCI_REGISTRY": registry.host, "OCI_TLS": "enabled", "OCI_REPO1": f"conf/new-{profile}",
            "OCI_REPO2": f"public/new-{profile}", "OCI_USERNAME": "alice", "OCI_PASSWORD": registry.password,
            "OCI_VERSION": profile, "OCI_RESULTS_DIR": str(directory / f"suite-{profile}"),
            "SSL_CERT_FILE": str(registry.ca)})
    return row


# Clients

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


# The table

def table(rows: list[Row]) -> None:
    for row in rows:
        for fault in row.faults:
            print(f"FAILED {row.program}: {fault}\n")
    print(f"{'program':<22} {'passed':>6} {'failed':>6} {'skipped':>7}  what")
    for row in rows:
        counts = f"{'-':>6} {'-':>6} {'-':>7}  NOT RUN: {row.what}" if row.missing else \
            f"{row.passed:>6} {row.failed:>6} {row.skipped:>7}  {row.what}"
        print(f"{row.program:<22} {counts}")
    missing = [row for row in rows if row.missing]
    if missing:
        print("\n" + "!" * 78)
        for row in missing:
            print(f"!! NOT RUN, it could not be fetched: {row.program}, {row.what}\n!!   {row.missing}")
        print("!" * 78)


def main() -> int:
    BIN.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="cv-interop-", dir="/var/tmp"))
    try:
        layout = make_image(directory / "layout", [3 << 20, 300_000], "interop").layout
        with Registry(directory / "r", tls=True) as registry:
            shared = (registry, directory, layout)
            rows = [suite_main(registry, directory, "1.1"), suite_main(registry, directory, "dev"),
                    suite_1_1_1(registry, directory), skopeo(*shared),
                    client("crane", "push, copy, index, mutate, delete", play_crane, *shared),
                    client("regctl", "chunks, mount, referrers, copy, delete", play_regctl, *shared),
                    client("oras", "artifacts, referrers, copy, delete", play_oras, *shared)]
        table(rows)
        return 1 if any(row.failed for row in rows) else 0
    finally:
        if not os.environ.get("CONVOY_KEEP"):
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
