"""The operator's commands against a running registry, and whoever else tries to administer it."""
import http.client
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from framework import cluster, oci
from framework.cluster import convoy
from framework.oci import Content
from framework.registry import Registry

TABLES = """
[registry.gc]
interval = "0s"
lease = "1s"
untagged_age = "1s"
[[registry.project]]
name = "team"
[[registry.project.retention]]
keep_newest = 1
"""


@pytest.fixture
def registry(workdir):
    with Registry(workdir / "r", tables=TABLES) as running:
        yield running


def run(registry: Registry, *command: str, fails: bool = False) -> str:
    done = convoy(*command, "--config", str(registry.role.config), check=False)
    assert (done.returncode != 0) == fails, done
    return done.stdout + done.stderr


def ask(registry: Registry, *command: str) -> dict:
    return json.loads(run(registry, *command, "--json"))


def push_two(alice) -> tuple[Content, Content]:
    first, second = Content(), Content()
    first.image("v1")
    oci.push(alice, "team/app", first)
    time.sleep(1.1)
    second.image("v2")
    oci.push(alice, "team/app", second)
    return first, second


def stored(registry: Registry, dig: str) -> Path:
    found = [p for p in (registry.dir / "registry/data").rglob(f"*{dig.partition(':')[2]}*") if p.is_file()]
    return max(found, key=lambda p: p.stat().st_size)


def test_lists_say_what_is_stored(registry):
    alice = registry.client("alice")
    first, second = push_two(alice)
    rows = ask(registry, "repo", "ls")["repositories"]
    assert [(r["name"], r["tags"], r["manifests"], r["blobs"]) for r in rows] == [("team/app", 2, 2, 8)]
    assert "team/app" in run(registry, "repo", "ls")
    tags = ask(registry, "tag", "ls", "team/app")["tags"]
    assert [(t["name"], t["digest"]) for t in tags] == [("v1", first.tags["v1"]), ("v2", second.tags["v2"])]
    assert first.tags["v1"] in run(registry, "tag", "ls", "team/app")
    assert "name_unknown" in run(registry, "tag", "ls", "team/none", fails=True)
    usage = ask(registry, "du")
    size = sum(len(data) for c in (first, second) for data in c.blobs.values())
    assert (usage["blobs"], usage["blob_bytes"], usage["quarantined"]) == (8, size, [])
    assert "8 blobs" in run(registry, "du")


def test_a_rehearsal_changes_nothing_and_a_collection_what_it_said(registry):
    alice = registry.client("alice")
    _, second = push_two(alice)
    text = run(registry, "gc", "--dry-run")
    assert "would remove 1 tags" in text and "v1" in text
    assert ask(registry, "gc", "--dry-run")["tags"] == 1
    assert alice.get("/v2/team/app/manifests/v1").status == 200
    report = ask(registry, "gc")
    assert (report["state"], report["tags"], report["dry_run"]) == ("done", 1, False)
    assert alice.get("/v2/team/app/manifests/v1").status == 404
    for _ in range(2):  # the manifest, then what it alone held
        time.sleep(2.1)
        run(registry, "gc")
    assert ask(registry, "du")["blobs"] == 4
    assert alice.get("/v2/team/app/manifests/v2").status == 200
    for dig, data in second.blobs.items():
        assert alice.get(f"/v2/team/app/blobs/{dig}").body == data


def test_a_scrub_finds_damage_and_a_push_mends_it(registry):
    alice = registry.client("alice")
    data = os.urandom(100_000)
    dig = oci.digest(data)
    assert oci.post_put(alice, "team/app", dig, data).status == 201
    assert ask(registry, "scrub")["bad"] == []
    with stored(registry, dig).open("r+b") as file:
        file.seek(50_000)
        file.write(bytes([data[50_000] ^ 1]))
    # Damage is told by the exit status as well.
    assert "DAMAGED" in run(registry, "scrub", "--dry-run", fails=True)
    assert ask(registry, "du")["quarantined"] == []
    assert dig in run(registry, "scrub", fails=True)
    assert [q["digest"] for q in ask(registry, "du")["quarantined"]] == [dig]
    assert alice.get(f"/v2/team/app/blobs/{dig}").status == 404
    assert oci.post_put(alice, "team/app", dig, data).status == 201
    assert ask(registry, "scrub")["bad"] == [] and ask(registry, "du")["quarantined"] == []
    assert alice.get(f"/v2/team/app/blobs/{dig}").body == data


def order(registry: Registry, headers: list[tuple[str, str]], to: str | None = None) -> int:
    connection = http.client.HTTPConnection(to or registry.role.endpoints["ops"], timeout=10)
    connection.putrequest("POST", "/convoy/v1/admin/gc")
    for name, value in [*headers, ("Content-Length", "0")]:
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_nobody_administers_without_the_token_of_this_start(registry):
    file = registry.dir / "registry/data/admin.json"
    old = json.loads(file.read_text())["token"]
    registry.role.kill()  # so that the file stays behind
    registry.role.start()
    assert file.stat().st_mode & 0o777 == 0o600
    token = json.loads(file.read_text())["token"]
    attacks = [[], [("Authorization", f"Bearer {old}")], [("Authorization", f"Bearer {token[:-1]}")],
               [("Authorization", f"Bearer {token}0")], [("Authorization", "Bearer ")],
               [("Authorization", f"Basic {token}")], [("Authorization", token)],
               [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")],
               [("Authorization", f"Bearer {registry.client('alice').token('registry:catalog:*')}")]]
    for attack in attacks:
        assert order(registry, attack) == 401, attack
    refused = [line for line in registry.role.audit_lines() if line["action"] == "admin.refuse"]
    assert len(refused) == len(attacks)
    # Clients' own listener knows no such route, whatever they show.
    assert order(registry, [("Authorization", f"Bearer {token}")], registry.host) == 404
    assert convoy("gc", "--config", str(registry.role.config), "--json").returncode == 0
    assert token not in registry.role.log.read_text() + registry.role.audit.read_text()
    orders = [line for line in registry.role.audit_lines() if line["action"] == "admin.grant"]
    assert len(orders) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_another_user_of_the_machine_can_neither_ask_nor_order(registry, workdir):
    # Whatever stands above the data directory is open to all.
    for folder in (workdir, registry.dir, registry.dir / "registry"):
        folder.chmod(0o755)
    binary = workdir / "convoy"
    shutil.copy(cluster.BINARY, binary)
    binary.chmod(0o755)
    data = registry.dir / "registry/data"
    for command in (["gc"], ["gc", "--dry-run"], ["scrub"], ["repo", "ls"], ["tag", "ls", "team/app"], ["du"]):
        done = subprocess.run([str(binary), *command, "--data", str(data)], user=65534, group=65534, extra_groups=[],
                              capture_output=True, text=True, timeout=30, cwd="/")
        assert done.returncode != 0 and not done.stdout and "holds no registry's store" in done.stderr, done
    assert not [line for line in registry.role.audit_lines() if line["action"].startswith(("admin.", "gc."))]
    # Were the directory open as well, the files are not.
    data.chmod(0o755)
    for name in ("admin.json", "meta.db"):
        reading = subprocess.run(["cat", str(data / name)], user=65534, group=65534, extra_groups=[],
                                 capture_output=True, timeout=30)
        assert not reading.stdout and b"denied" in reading.stderr, name
    for command in (["gc"], ["du"]):
        done = subprocess.run([str(binary), *command, "--data", str(data)], user=65534, group=65534, extra_groups=[],
                              capture_output=True, text=True, timeout=30, cwd="/")
        assert done.returncode != 0 and not done.stdout and "belongs to another user" in done.stderr, done
