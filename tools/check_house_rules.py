#!/usr/bin/env python3
"""House rules that a compiler does not know.

Prints each fault as FILE:LINE and ends with status 1 when there is one.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# (what, where it is a fault, files where it is right, why)
RULES = [
    (r"\bdetached\b", r"^src/|^apps/", [r"^src/net/task_group\.cpp$"],
     "start tasks in a TaskGroup, so that stop() can wait for them"),
    (r"system_clock::now|steady_clock::now|\btime\(nullptr\)", r"^src/|^apps/", [r"^src/base/clock\.cpp$"],
     "take the time from a Clock"),
    (r"std::random_device|\bstd::mt19937|\brand\(\)", r"^src/|^apps/", [],
     "take randomness from a Random"),
    (r"#include <boost/(asio|beast)\.hpp>|<boost/beast/(core|http|ssl)\.hpp>", r"^src/|^apps/|^tests/", [],
     "include the header that is needed, not the whole library"),
    (r"co_await \([^)]*\?", r"^src/|^apps/|^tests/", [],
     "choose before co_await: g++ 12 makes the temporaries of both branches"),
    (r"\b(TODO|FIXME|XXX|HACK)\b", r"^src/|^apps/", [],
     "finish it or file it"),
    (r"BOOST_(ASIO|BEAST)_[A-Z_]+", r"^src/|^apps/|^tests/", [],
     "Asio and Beast macros stand in CMakeLists.txt alone"),
]


def tracked() -> list[str]:
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [f for f in out.stdout.splitlines() if f.endswith((".cpp", ".hpp")) and (ROOT / f).exists()]


def main() -> int:
    faults = 0
    files = tracked()
    for name in files:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        if name.endswith(".hpp") and not any(l.strip() == "#pragma once" for l in lines):
            print(f"{name}:1: a header starts with #pragma once")
            faults += 1
        for pattern, where, right, why in RULES:
            if not re.search(where, name) or any(re.search(r, name) for r in right):
                continue
            for number, line in enumerate(lines, 1):
                if re.search(pattern, line.split("//")[0]):
                    print(f"{name}:{number}: {why}")
                    faults += 1
    print(f"house rules: {len(files)} files, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
