"""Fixtures shared by all functional tests; example_test.py shows how to use them."""
import itertools
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from framework import cluster, image  # noqa: E402
from framework.registry import Registry  # noqa: E402


@pytest.fixture
def workdir():
    """A short directory (unix sockets below it must stay under 108 characters) on a real disk,
    kept when the test fails and CONVOY_KEEP is set."""
    path = Path(tempfile.mkdtemp(prefix="cv-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    yield path
    if not os.environ.get("CONVOY_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def small_image(tmp_path_factory):
    """A runnable image of about 24 MiB."""
    return image.make_image(tmp_path_factory.mktemp("image") / "layout", [16 << 20, 6 << 20], "small")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with Registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def alice(registry):
    return registry.client("alice")


numbers = itertools.count()


@pytest.fixture
def repo():
    """The name of a repository that nobody has used."""
    return f"conf/r{next(numbers)}"


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert cluster.BINARY.exists(), f"{cluster.BINARY} is missing: ./dev build release"


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.write_line("")
        for report in skipped:
            terminalreporter.write_line(f"NOT RUN: {report.nodeid}: {report.longrepr[2]}", red=True)
    # CI has root and every client: there a skipped test is a broken gate.
    if skipped and os.environ.get("CI"):
        terminalreporter._session.exitstatus = 1
