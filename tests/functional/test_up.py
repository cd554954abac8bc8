"""`convoy up` and the command line as a newcomer meets them."""
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from framework.cluster import BINARY, convoy
from framework.skopeo import verified_blobs


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Up:
    PORTS = ["registry", "tracker", "mirror", "proxy", "peer", "origin", "ops"]

    def __init__(self, directory: Path):
        self.data, self.out, self.ready = directory / "data", directory / "out", directory / "ready.json"
        self.ports = dict(zip(self.PORTS, free_ports(len(self.PORTS))))
        self.process = None

    def argv(self) -> list[str]:
        argv = [str(BINARY), "up", "--data", str(self.data), "--ready-file", str(self.ready)]
        for name, port in self.ports.items():
            argv += [f"--{name}-port", str(port)]
        return argv

    def __enter__(self) -> "Up":
        self.ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL, stdout=self.out.open("wb"),
                                        stderr=subprocess.STDOUT)
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            if self.ready.exists() and json.loads(self.ready.read_text())["ready"]:
                return self
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"convoy up is not ready:\n{self.text()}")

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def text(self) -> str:
        return self.out.read_text()

    def skopeo(self, *args: str) -> None:
        done = subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", *args], capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == 0, done.stderr

    def pull(self, target: Path) -> None:
        self.skopeo("--src-tls-verify=false", f"docker://127.0.0.1:{self.ports['mirror']}/team/app:1", f"dir:{target}")

    def status(self, *args: str) -> str:
        return convoy("status", "--ops", f"http://127.0.0.1:{self.ports['ops']}", *args).stdout


def test_up_serves_what_it_prints_and_keeps_it_over_a_restart(workdir, small_image):
    up = Up(workdir)
    digests = [d for d, _ in small_image.blobs]
    with up:
        text = up.text()
        password = (up.data / "password").read_text()
        assert password not in text and f"{up.data}/password" in text
        assert (up.data / "password").stat().st_mode & 0o777 == 0o600
        registry = f"127.0.0.1:{up.ports['registry']}"
        up.skopeo("--dest-cert-dir", str(up.data / "certs"), "--dest-authfile", str(up.data / "auth.json"),
                  f"oci:{small_image.layout}:latest", f"docker://{registry}/team/app:1")
        up.pull(workdir / "first")
        assert verified_blobs(workdir / "first", digests) == len(digests)
        pulls = json.loads(up.status("--json"))["pulls"]
        assert sum(p["bytes"]["origin"] for p in pulls) >= small_image.largest[1]
        assert "from origin" in up.status()
        assert up.process.poll() is None
        up.process.send_signal(signal.SIGHUP)
        up.pull(workdir / "after-reload")
    assert up.process.returncode == 0
    with up:
        assert up.text().startswith("Using the keys in")
        up.pull(workdir / "second")
        assert "from cache" in up.status()
    for log in ["convoy.log", "audit.log"]:
        assert password not in (up.data / log).read_text()


def test_ports_in_use_are_all_named_with_the_option_that_helps(workdir):
    up = Up(workdir)
    with socket.create_server(("127.0.0.1", up.ports["registry"])), \
            socket.create_server(("127.0.0.1", up.ports["ops"])):
        done = subprocess.run(up.argv(), capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "--registry-port" in done.stderr and "--ops-port" in done.stderr
    assert "--tracker-port" not in done.stderr
    assert not up.data.exists()


@pytest.mark.parametrize("argv, status", [
    (["--version"], 0), (["--help"], 0), (["up", "--help"], 0), ([], 2), (["regsitry"], 2),
    (["agent"], 2), (["agent", "--config", "/nonexistent.toml"], 2), (["up", "--listen-ip", "localhost"], 2),
    (["status", "--ops", "http://127.0.0.1:9"], 1), (["demo", "--nodes", "0"], 2)])
def test_exit_status(argv, status):
    assert convoy(*argv, check=False).returncode == status


def test_every_command_explains_itself_with_an_example():
    commands = [["up"], ["demo"], ["registry"], ["tracker"], ["agent"], ["status"], ["pki"], ["pki", "init"],
                ["pki", "show"], ["node"], ["node", "token", "create"], ["node", "token", "list"],
                ["node", "token", "revoke"], ["user"], ["user", "hash"], ["config"], ["config", "reference"]]
    for command in commands:
        assert "Example" in convoy(*command, "--help").stdout, command


def test_all_faults_of_a_configuration_come_at_once_and_no_secret_with_them(workdir):
    config = workdir / "agent.toml"
    config.write_text('[agent]\ndata_dir = "/x"\nswarm_stall = "soon"\n[agent.tracker]\nurl = "http://t"\n'
                      '[[agent.registry]]\nhost = "r"\nurl = "https://r"\nuser = "u"\npassword = "hunter2canary"\n')
    done = convoy("agent", "--config", str(config), "--check-config", check=False)
    assert done.returncode == 2
    for line in ["agent.toml:3: agent.swarm_stall", "agent.toml:5: agent.tracker.url", "agent.toml:10: "]:
        assert line in done.stderr, done.stderr
    assert "hunter2canary" not in done.stderr + done.stdout


def test_passwords_come_from_standard_input_alone():
    line = convoy("user", "hash", "--name", "ann", stdin="correct horse\n").stdout
    assert line.startswith("ann:$argon2id$")
    assert convoy("user", "hash", stdin="short\n", check=False).returncode == 2


def test_a_join_token_is_shown_once_and_can_be_revoked(workdir):
    store = workdir / "join-tokens.json"
    token = convoy("node", "token", "create", "--join-file", str(store), "--ttl", "30m").stdout.strip()
    assert token.startswith("cvj_")
    secret = token.split("_")[2]
    listed = convoy("node", "token", "list", "--join-file", str(store)).stdout
    assert "fresh" in listed and secret not in listed and secret not in store.read_text()
    assert os.stat(store).st_mode & 0o077 == 0
    convoy("node", "token", "revoke", "--join-file", str(store), token.split("_")[1])
    assert "fresh" not in convoy("node", "token", "list", "--join-file", str(store)).stdout
