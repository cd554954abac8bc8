#!/usr/bin/env python3
"""Checks that every test that docs/threat-model.md names exists."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`([A-Z]\w+)\.(\w+)`")
DEFINED = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)


def main() -> int:
    tests = {m for f in (ROOT / "tests").rglob("*.cpp") for m in DEFINED.findall(f.read_text())}
    named = NAMED.findall((ROOT / "docs/threat-model.md").read_text())
    missing = [f"{suite}.{name}" for suite, name in named if (suite, name) not in tests]
    for name in missing:
        print(f"docs/threat-model.md names {name}, which is no test")
    print(f"threat model: {len(named)} tests named, {len(missing)} missing")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
