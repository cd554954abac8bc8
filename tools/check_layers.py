#!/usr/bin/env python3
"""Checks that every include goes down the layers and stays behind the library walls.

Prints each fault as FILE:LINE and ends with status 1 when there is one.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each folder of src/ may include, besides itself.
LOW = ["base", "wire"]
MIDDLE = LOW + ["crypto", "net", "storage"]
HIGH = MIDDLE + ["security", "login", "swarm", "clients"]
ALLOWED = {
    "base": [],
    "wire": ["base"],
    "crypto": LOW,
    "net": LOW,
    "storage": LOW,
    "security": LOW + ["crypto", "storage"],
    "login": MIDDLE + ["security"],
    "swarm": MIDDLE + ["security"],
    "clients": MIDDLE + ["security"],
    "registry": HIGH,
    "tracker": HIGH,
    "agent": HIGH,
    "cli": HIGH,
}

# Narrower rules inside a folder.
INNER = {
    "swarm/core": ["base", "wire", "swarm/core"],
}

# Library headers and the only places that may name them.
WALLS = [
    (re.compile(r"<openssl/"), ["src/crypto/", "src/net/tls"]),
    (re.compile(r"<sqlite3\.h>"), ["src/storage/meta/"]),
    (re.compile(r"<boost/beast"), ["src/net/"]),
    (re.compile(r"<boost/asio"), ["src/net/", "src/swarm/transport/", "apps/"]),
    (re.compile(r"<prometheus/"), ["src/net/"]),
    (re.compile(r"<toml"), ["apps/convoy/config/"]),
    (re.compile(r"<CLI/"), ["apps/convoy/"]),
]

# Tolerated exceptions, each with its reason.
EXCEPTIONS: dict[tuple[str, str], str] = {}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<][^">]+[">])')


def folder_of(include: str) -> str:
    return include.split("/")[0]


def faults_of(path: Path):
    rel = path.relative_to(ROOT).as_posix()
    parts = rel.split("/")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        what = match.group(1)
        if (rel, what) in EXCEPTIONS:
            continue
        for pattern, homes in WALLS:
            if pattern.match(what) and not any(rel.startswith(home) for home in homes):
                yield f"{rel}:{number}: {what} may only be included in {', '.join(homes)}"
        if not what.startswith('"') or parts[0] != "src":
            continue
        target = what.strip('"')
        own, other = parts[1], folder_of(target)
        if other not in ALLOWED:
            yield f"{rel}:{number}: {what} is no path from src/"
        elif other != own and other not in ALLOWED[own]:
            yield f"{rel}:{number}: {own} may not include {other} ({what})"
        for inner, allowed in INNER.items():
            if rel.startswith(f"src/{inner}/") and not any(
                target.startswith(a + "/") for a in allowed
            ):
                yield f"{rel}:{number}: {inner} may not include {what}"


def main() -> int:
    files = [
        f
        for top in ("src", "apps")
        for f in sorted((ROOT / top).rglob("*"))
        if f.suffix in (".cpp", ".hpp")
    ]
    faults = [fault for f in files for fault in faults_of(f)]
    for fault in faults:
        print(fault)
    print(f"layers: {len(files)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
