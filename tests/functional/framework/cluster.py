"""A Convoy cluster of real processes: registry, tracker, agents.

Every process has a directory of its own with its configuration, log and audit file; they are kept
and their ends printed when a test fails. Roles may run in network namespaces.
"""
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from .lab import Lab

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("CONVOY_BINARY", ROOT / "build/release/apps/convoy/convoy"))


def convoy(*args: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run([str(BINARY), *args], input=stdin, capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise AssertionError(f"convoy {' '.join(args)}\n{done.stdout}{done.stderr}")
    return done


class Role:
    """One convoy process."""

    def __init__(self, directory: Path, kind: str, config: str, ns: str | None = None):
        self.dir, self.kind, self.ns = directory, kind, ns
        directory.mkdir(parents=True, exist_ok=True)
        self.config = directory / f"{kind}.toml"
        self.config.write_text(config)
        self.log = directory / "log"
        self.ready = directory / "ready.json"
        self.audit = directory / "audit.log"
        self.process: subprocess.Popen | None = None
        self.endpoints: dict = {}

    def start(self, timeout: float = 20) -> "Role":
        self.ready.unlink(missing_ok=True)
        argv = [str(BINARY), self.kind, "--config", str(self.config), "--ready-file", str(self.ready)]
        self.process = subprocess.Popen(
            Lab.inside(self.ns, argv), stdin=subprocess.DEVNULL, stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.ready.exists():
                self.endpoints = json.loads(self.ready.read_text())["endpoints"]
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{self.kind} did not come up:\n{self.tail()}")

    def wait_ready(self, timeout: float = 20) -> None:
        """Until /readyz says so."""
        end = time.monotonic() + timeout
        last = ""
        while time.monotonic() < end:
            status, last = self.ops("/readyz")
            if status == 200:
                self.endpoints = json.loads(self.ready.read_text())["endpoints"]
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.kind} is not ready: {last}\n{self.tail()}")

    def ops(self, path: str) -> tuple[int, str]:
        url = f"http://{self.endpoints['ops']}{path}"
        if self.ns is None:
            try:
                with urllib.request.urlopen(url, timeout=5) as r:
                    return r.status, r.read().decode()
            except urllib.error.HTTPError as e:
                return e.code, e.read().decode()
            except OSError as e:
                return 0, str(e)
        done = subprocess.run(Lab.inside(self.ns, ["curl", "-s", "-w", "\n%{http_code}", url]),
                              capture_output=True, text=True, timeout=10)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def status(self) -> list[dict]:
        """An agent's recent pulls."""
        return json.loads(self.ops("/convoy/v1/status")[1])["pulls"]

    def kill(self) -> None:
        """kill -9, as the kernel or a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self, timeout: float = 20) -> int:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return -9
        return self.process.returncode if self.process else 0

    def rss_mib(self, peak: bool = True) -> float:
        key = "VmHWM" if peak else "VmRSS"
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) / 1024
        raise AssertionError(f"no {key}")

    def audit_lines(self) -> list[dict]:
        if not self.audit.exists():
            return []
        return [json.loads(l) for l in self.audit.read_text().splitlines()]

    def tail(self, lines: int = 15) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"--- {self.dir.name}\n" + "\n".join(text.splitlines()[-lines:])


@dataclass
class Cluster:
    """Ports are free ones; the registry is named by `host` in image references."""
    dir: Path
    agents_wanted: int = 2
    lab: Lab | None = None
    egress: str = ""             # registry's uplink, "50MB/s"
    node_lifetime: str = "24h"
    agent_extra: str = ""        # further lines of [agent]
    zones: list[str] = field(default_factory=list)  # of the agents in turn; the origin is in the first
    service_node: int = 0        # of a lab: where registry and tracker run; 0: the hub
    registry: Role = None
    tracker: Role = None
    agents: list[Role] = field(default_factory=list)
    user: str = "alice"
    password: str = field(default_factory=lambda: secrets.token_hex(16))
    stranger: str = "mallory"

    # Without a lab everything is on loopback, each agent on an address of its own.
    def hub_ip(self) -> str:
        if self.lab and self.service_node:
            return self.lab.ip(self.service_node)
        return Lab.HUB_IP if self.lab else "127.0.0.1"

    def agent_ip(self, i: int) -> str:
        return self.lab.ip(i) if self.lab else f"127.0.1.{i}"

    def hub_ns(self) -> str | None:
        if self.lab and self.service_node:
            return self.lab.node(self.service_node)
        return self.lab.hub if self.lab else None

    def agent_ns(self, i: int) -> str | None:
        return self.lab.node(i) if self.lab else None

    @property
    def host(self) -> str:
        return f"registry.lab:{self.registry_port}" if self.lab else f"127.0.0.1:{self.registry_port}"

    def ref(self, name: str) -> str:
        return f"{self.host}/{name}"

    def __enter__(self) -> "Cluster":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, *_) -> None:
        self.stop()
        if kind is not None:
            for role in self.roles():
                print(role.tail(25))

    def roles(self) -> list[Role]:
        return [r for r in [self.registry, self.tracker, *self.agents] if r]

    def stop(self) -> None:
        for role in self.roles():
            role.stop()

    def free_port(self, ip: str) -> int:
        import socket
        if self.lab:
            self._next = getattr(self, "_next", 5000) + 1
            return self._next
        with socket.socket() as s:
            s.bind((ip, 0))
            return s.getsockname()[1]

    def start(self) -> None:
        self.registry_port = self.free_port(self.hub_ip())
        self.tracker_port = self.free_port(self.hub_ip())
        self.make_keys()
        self.make_users()
        self.registry = Role(self.dir / "registry", "registry", self.registry_config(), self.hub_ns())
        self.tracker = Role(self.dir / "tracker", "tracker", self.tracker_config(), self.hub_ns())
        self.tracker.start()
        self.registry.start()
        self.add_agents(range(1, self.agents_wanted + 1))
        for role in self.roles():
            role.wait_ready()

    def add_agents(self, numbers: range) -> None:
        added = []
        for i in numbers:
            token = self.dir / f"join-{i}"
            self.make_token(token, "node", f"node-{i}")
            added.append(Role(self.dir / f"agent-{i}", "agent", self.agent_config(i, token), self.agent_ns(i)))
        self.agents += added
        with ThreadPoolExecutor(4) as starters:
            list(starters.map(Role.start, added))

    def make_keys(self) -> None:
        self.pki = self.dir / "pki"
        names = [self.hub_ip(), "registry.lab"]
        args = ["pki", "init", "--dir", str(self.pki), "--cluster", "lab", "--trust-domain", "lab.test"]
        for name in names:
            args += ["--registry-host", name]
        args += ["--tracker-host", self.hub_ip()]
        convoy(*args)
        self.join_store = self.dir / "join-tokens.json"
        self.make_token(self.dir / "join-origin", "origin", "origin")

    def make_token(self, file: Path, kind: str, name: str) -> None:
        done = convoy("node", "token", "create", "--join-file", str(self.join_store), "--kind", kind,
                      "--name", name)
        file.touch(mode=0o600)
        file.write_text(done.stdout.strip().splitlines()[-1])

    def make_users(self) -> None:
        lines = [f"{u}:{convoy('user', 'hash', stdin=self.password).stdout.strip()}"
                 for u in (self.user, self.stranger)]
        self.users = self.dir / "users"
        self.users.touch(mode=0o600)
        self.users.write_text("\n".join(lines) + "\n")
        self.password_file = self.dir / "password"
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(self.password)

    def zone_line(self, i: int) -> str:
        return f'zone = "{self.zones[i % len(self.zones)]}"' if self.zones else ""

    @property
    def ca(self) -> Path:
        return self.pki / "agent" / "service-ca.pem"

    def registry_config(self) -> str:
        p, egress = self.pki, f'egress_limit = "{self.egress}"' if self.egress else ""
        return f"""
[registry]
data_dir = "{self.dir}/registry/data"
listen = "{self.hub_ip()}:{self.registry_port}"
users_file = "{self.users}"
{egress}
[registry.tls]
cert_file = "{p}/registry/server.pem"
key_file = "{p}/registry/server.key"
[registry.tokens]
cert_file = "{p}/registry/token.pem"
key_file = "{p}/registry/token.key"
roots_file = "{p}/registry/token-ca.pem"
[registry.metadata]
cert_file = "{p}/registry/metadata.pem"
key_file = "{p}/registry/metadata.key"
[[registry.grant]]
repositories = ["lab/**"]
actions = ["*"]
users = ["{self.user}"]
[[registry.grant]]
repositories = ["open/**"]
actions = ["*"]
users = ["{self.stranger}"]
[[registry.cluster]]
name = "lab"
trust_domain = "lab.test"
roots_file = "{p}/tracker/cluster-root.pem"
registry_host = "{self.host}"
tracker_url = "https://{self.hub_ip()}:{self.tracker_port}"
tracker_roots_file = "{self.ca}"
join_token_file = "{self.dir}/join-origin"
peer_listen = "{self.hub_ip()}:0"
bind_ip = "{self.hub_ip()}"
{self.zone_line(0)}
[audit]
file = "{self.dir}/registry/audit.log"
[ops]
listen = "127.0.0.1:0"
"""

    def tracker_config(self) -> str:
        p = self.pki
        return f"""
[tracker]
cluster = "lab"
trust_domain = "lab.test"
listen = "{self.hub_ip()}:{self.tracker_port}"
join_tokens_file = "{self.join_store}"
node_lifetime = "{self.node_lifetime}"
[tracker.tls]
cert_file = "{p}/tracker/server.pem"
key_file = "{p}/tracker/server.key"
[tracker.ca]
root_file = "{p}/tracker/cluster-root.pem"
cert_file = "{p}/tracker/ca.pem"
key_file = "{p}/tracker/ca.key"
[tracker.tickets]
cert_file = "{p}/tracker/ticket.pem"
key_file = "{p}/tracker/ticket.key"
[tracker.client]
cert_file = "{p}/tracker/client.pem"
key_file = "{p}/tracker/client.key"
[[tracker.registry]]
host = "{self.host}"
url = "https://{self.hub_ip()}:{self.registry_port}"
tls_roots_file = "{self.ca}"
token_roots_file = "{p}/registry/token-ca.pem"
[audit]
file = "{self.dir}/tracker/audit.log"
[ops]
listen = "127.0.0.1:0"
"""

    def agent_config(self, i: int, token: Path) -> str:
        # In a lab each node has a loopback of its own, so all mirrors may use the same port.
        local = "127.0.0.1" if self.lab else self.agent_ip(i)
        return f"""
[agent]
data_dir = "{self.dir}/agent-{i}/data"
node_name = "node-{i}"
{self.zone_line(i - 1)}
{self.agent_extra}
[agent.tracker]
url = "https://{self.hub_ip()}:{self.tracker_port}"
roots_file = "{self.ca}"
join_token_file = "{token}"
[agent.mirror]
listen = "{local}:{5001 if self.lab else 0}"
[agent.proxy]
listen = "{local}:{5002 if self.lab else 0}"
[agent.peers]
listen = "{self.agent_ip(i)}:0"
bind_ip = "{self.agent_ip(i)}"
[[agent.registry]]
host = "{self.host}"
url = "https://{self.hub_ip()}:{self.registry_port}"
roots_file = "{self.ca}"
user = "{self.user}"
password_file = "{self.password_file}"
default = true
[audit]
file = "{self.dir}/agent-{i}/audit.log"
[ops]
listen = "127.0.0.1:0"
"""
