"""The official conformance programs of the distribution-spec."""
import os
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

from fetch import GINKGO, MAIN, fetch_ginkgo_suite, fetch_main_suite, ginkgo_suite, main_suite, short
from framework.registry import Registry
from row import Row


def judge(case: xml.Element) -> tuple[str, str]:
    """passed, skipped or failed, and why. The rewritten suite says it in an attribute alone."""
    fault = case.find("failure")
    if fault is None:
        fault = case.find("error")
    if fault is not None:
        return "failed", fault.get("message") or fault.text or ""
    status = case.get("status")
    if status in ("passed", "skipped"):
        return status, ""
    return "failed", case.findtext("system-out") or case.findtext("system-err") or f"status {status}"


def read_junit(path: Path, row: Row) -> None:
    if not path.exists():
        row.failed += 1
        row.faults.append(f"{path.name} was not written")
        return
    for case in xml.parse(path).getroot().iter("testcase"):
        verdict, reason = judge(case)
        setattr(row, verdict, getattr(row, verdict) + 1)
        if verdict == "failed":
            row.faults.append(f"{case.get('name')}: {reason.strip()[:600]}")
        elif verdict == "skipped":
            row.skips.append(case.get("name", ""))
    if not row.passed:
        row.failed += 1
        row.faults.append("not one case passed")


def run_suite(program: Path, row: Row, directory: Path, environment: dict) -> Row:
    directory.mkdir()
    done = subprocess.run([str(program)], cwd=directory, env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=1200)
    (directory / "output").write_text(done.stdout + done.stderr)
    read_junit(directory / "junit.xml", row)
    if done.returncode != 0 and not row.failed:
        row.failed += 1
        row.faults.append(f"exit status {done.returncode}: {(done.stdout + done.stderr)[-500:]}")
    return row


def ginkgo(registry: Registry, directory: Path) -> Row:
    row = Row(f"conformance {short(GINKGO)}", "of v1.1.1, all four workflows", missing=fetch_ginkgo_suite())
    if row.missing:
        return row
    # What is mounted without naming a source comes from a repository that everyone reads.
    return run_suite(ginkgo_suite(), row, directory / "ginkgo", {
        "OCI_ROOT_URL": f"https://{registry.host}", "OCI_NAMESPACE": "public/ginkgo",
        "OCI_CROSSMOUNT_NAMESPACE": "conf/ginkgo", "OCI_AUTOMATIC_CROSSMOUNT": "1",
        "OCI_USERNAME": "alice", "OCI_PASSWORD": registry.password, "OCI_TEST_PULL": "1", "OCI_TEST_PUSH": "1",
        "OCI_TEST_CONTENT_DISCOVERY": "1", "OCI_TEST_CONTENT_MANAGEMENT": "1",
        "OCI_REPORT_DIR": str(directory / "ginkgo"), "SSL_CERT_FILE": str(registry.ca)})


def main_branch(registry: Registry, directory: Path, profile: str, name: str = "", more: dict | None = None) -> Row:
    """`more` are variables beside the profile; `name` says in one word what they do."""
    row = Row(f"conformance {short(MAIN)}", f"profile {profile}{name and f', {name}'}", missing=fetch_main_suite())
    if row.missing:
        return row
    label = f"{profile}-{name.replace(' ', '-')}".rstrip("-")
    return run_suite(main_suite(), row, directory / f"suite-{label}", {
        "OCI_REGISTRY": registry.host, "OCI_TLS": "enabled", "OCI_REPO1": f"conf/{label}",
        "OCI_REPO2": f"public/{label}", "OCI_USERNAME": "alice", "OCI_PASSWORD": registry.password,
        "OCI_VERSION": profile, "OCI_RESULTS_DIR": str(directory / f"suite-{label}"),
        "SSL_CERT_FILE": str(registry.ca), **(more or {})})
