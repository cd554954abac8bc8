"""`convoy demo` and `convoy up` as a newcomer meets them."""
import json
import subprocess

from framework.cluster import BINARY


def test_demo_holds_what_it_promises(workdir):
    done = subprocess.run([str(BINARY), "demo", "--json", "--size", "96MiB", "--nodes", "8"],
                          capture_output=True, text=True, timeout=300,
                          env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": str(workdir)})
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    r = json.loads(done.stdout)
    assert r["nodes"] == 8
    assert r["blobs_verified"] == r["blobs_total"] > 0
    assert r["origin_egress_copies"] <= 1.3
    assert r["bytes_from"]["peers"] > r["bytes_from"]["origin"]
    assert len(r["intruders"]) == 10
    for intruder in r["intruders"]:
        assert intruder["payload_bytes"] == 0, intruder
        assert intruder["audited"], intruder
    assert not list(workdir.iterdir()), "the demo must clean up"
