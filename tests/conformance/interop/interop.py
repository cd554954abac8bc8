#!/usr/bin/env python3
"""Foreign programs against a freshly started registry, one table at the end.

Fetches as Go modules the official conformance programs of the distribution-spec and the clients
crane, regctl and oras, as far as they can be had; skopeo is the distribution's. What cannot be had is said loudly and fails
nothing; what was had and does not agree with the registry ends this with status 1. A program that
stands in build/interop/bin already is taken as it is. With CONVOY_KEEP set, the reports of the
suites stay, and where is said.
"""
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "functional"))

from clients import client, play_crane, play_oras, play_regctl, skopeo  # noqa: E402
from fetch import fetch_all  # noqa: E402
from framework.image import make_image  # noqa: E402
from framework.registry import Registry  # noqa: E402
from row import Row  # noqa: E402
from suites import ginkgo, main_branch  # noqa: E402

SPARSE = {"OCI_DATA_SPARSE": "true"}


def table(rows: list[Row]) -> None:
    for row in rows:
        for fault in row.faults:
            print(f"FAILED {row.program}: {fault}\n")
    print(f"{'program':<34} {'passed':>6} {'failed':>6} {'skipped':>7}  what")
    for row in rows:
        counts = f"{'-':>6} {'-':>6} {'-':>7}  NOT RUN: {row.what}" if row.missing else \
            f"{row.passed:>6} {row.failed:>6} {row.skipped:>7}  {row.what}"
        print(f"{row.program:<34} {counts}")
    for row in rows:
        for name in row.skips:
            print(f"skipped by {row.program}: {name}")
    missing = [row for row in rows if row.missing]
    if missing:
        print("\n" + "!" * 78)
        for row in missing:
            print(f"!! NOT RUN, it could not be fetched: {row.program}, {row.what}\n!!   {row.missing}")
        print("!" * 78)


def main() -> int:
    fetch_all()
    directory = Path(tempfile.mkdtemp(prefix="cv-interop-", dir="/var/tmp"))
    try:
        layout = make_image(directory / "layout", [3 << 20, 300_000], "interop").layout
        with Registry(directory / "r", tls=True) as registry:
            shared = (registry, directory, layout)
            rows = [main_branch(registry, directory, "1.1"), main_branch(registry, directory, "dev"),
                    ginkgo(registry, directory), skopeo(*shared),
                    client("crane", "push, copy, index, mutate, delete", play_crane, *shared),
                    client("regctl", "chunks, mount, referrers, copy, delete", play_regctl, *shared),
                    client("oras", "artifacts, referrers, copy, delete", play_oras, *shared)]
        with Registry(directory / "sparse", tls=True, extra='missing_content = "any"') as registry:
            rows.insert(2, main_branch(registry, directory, "dev", "sparse manifests", SPARSE))
        table(rows)
        return 1 if any(row.failed for row in rows) else 0
    finally:
        if os.environ.get("CONVOY_KEEP"):
            print(f"reports: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
