"""Foreign programs as Go modules of fixed versions, built below build/interop/bin."""
import functools
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(os.environ.get("CONVOY_INTEROP_BIN", ROOT / "build" / "interop" / "bin"))
SUITE = "github.com/opencontainers/distribution-spec/conformance"
# The suites have no tags of their own. The rewritten one, of the main branch:
MAIN = "v0.0.0-20260831232431-97274622c111"
# The one before, a Ginkgo test, at the commit that the spec's v1.1.1 names. Checksum databases do not know it.
GINKGO = "v0.0.0-20250123160558-a139cc423184"
GINKGO_SUM = f"""\
{SUITE} {GINKGO} h1:7bNCAFy3pSZzsM+xTEhbhSKzYcVMVf/g8lT71MMlkjU=
{SUITE} {GINKGO}/go.mod h1:DOO4RzIigGVoAksLURsDbKHpJ8zX5eEQfsmkqY39yyE=
"""
CLIENTS = {
    "crane": ("github.com/google/go-containerregistry/cmd/crane", "v0.22.1"),
    "regctl": ("github.com/regclient/regclient/cmd/regctl", "v0.11.7"),
    "oras": ("oras.land/oras/cmd/oras", "v1.3.6"),
}


def find_go() -> str | None:
    return shutil.which("go") or next((p for p in ("/usr/local/go/bin/go",) if os.access(p, os.X_OK)), None)


def go(*args: str, bin: Path = BIN, cwd: Path | None = None) -> subprocess.CompletedProcess:
    program = find_go()
    if program is None:
        return subprocess.CompletedProcess(args, 1, "", "Go is not installed")
    environment = {**os.environ, "GOBIN": str(bin), "CGO_ENABLED": "0"}
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


def short(version: str) -> str:
    """The date and the commit of a version that is no tag."""
    _, date, commit = version.split("-")
    return f"{date[:8]}-{commit}"


def main_suite() -> Path:
    return BIN / f"conformance-{short(MAIN)}"


def ginkgo_suite() -> Path:
    return BIN / f"conformance-{short(GINKGO)}"


# Each says what was in the way; "" when the program is there.

@functools.cache
def fetch_client(name: str) -> str:
    if (BIN / name).exists():
        return ""
    module, version = CLIENTS[name]
    done = go("install", f"{module}@{version}")
    return "" if done.returncode == 0 else why(done)


@functools.cache
def fetch_main_suite() -> str:
    if main_suite().exists():
        return ""
    with tempfile.TemporaryDirectory(dir=BIN) as directory:
        done = go("install", f"{SUITE}@{MAIN}", bin=Path(directory))
        if done.returncode != 0:
            return why(done)
        (Path(directory) / "conformance").rename(main_suite())
    return ""


@functools.cache
def fetch_ginkgo_suite() -> str:
    """Built as what another module requires: asked for by itself, Go wants the date of the version as well,
    which not every proxy has that has its files."""
    if ginkgo_suite().exists():
        return ""
    with tempfile.TemporaryDirectory() as directory:
        module = Path(directory)
        (module / "go.mod").write_text(f"module interop\n\ngo 1.20\n\nrequire {SUITE} {GINKGO}\n")
        (module / "go.sum").write_text(GINKGO_SUM)
        done = go("test", "-mod=mod", "-c", "-o", str(ginkgo_suite()), SUITE, cwd=module)
    return "" if done.returncode == 0 else why(done)


def fetch_all() -> None:
    """At once: most of it is waiting for downloads."""
    BIN.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        for fetch in (fetch_main_suite, fetch_ginkgo_suite, *(lambda n=n: fetch_client(n) for n in CLIENTS)):
            pool.submit(fetch)
