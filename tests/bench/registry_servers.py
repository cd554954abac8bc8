"""What `./dev bench registry` compares: Convoy, other registries as far as they can be had, nginx."""
import getpass
import hashlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

from framework.registry import Registry
from measure import cpu_seconds

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("CONVOY_BENCH_BIN", ROOT / "build" / "bench" / "bin"))
NAME = "public/app"
DISTRIBUTION_3 = "github.com/distribution/distribution/v3/cmd/registry@v3.0.0"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fetch_debian(package: str, program: str) -> tuple[str, str]:
    """The program, or why it cannot be had. Taken out of its package: no service is installed."""
    there = shutil.which(program) or BIN / program
    if Path(there).is_file():
        return str(there), ""
    BIN.mkdir(parents=True, exist_ok=True)
    tree = BIN / f"{package}.tree"
    commands = (["apt-get", "download", package], ["sh", "-c", f"dpkg-deb -x {package}_*.deb {tree}"])
    for command in commands:
        done = subprocess.run(command, cwd=BIN, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            return "", f"{command[0]}: {done.stderr.strip()[-200:]}"
    shutil.copy(tree / "usr" / "bin" / program, BIN / program)
    return str(BIN / program), ""


def fetch_distribution_3() -> tuple[str, str]:
    """As a Go module, unless it stands in build/bench/bin already."""
    target = BIN / "registry"
    if target.exists():
        return str(target), ""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not os.access(go, os.X_OK):
        return "", "Go is not installed"
    environment = {**os.environ, "GOBIN": str(BIN), "CGO_ENABLED": "0"}
    try:
        done = subprocess.run([go, "install", DISTRIBUTION_3], cwd="/", env=environment,
                              capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "", "not built within 5 minutes"
    if done.returncode == 0:
        return str(target), ""
    lines = [l for l in done.stderr.splitlines() if l.strip() and not l.startswith("go: downloading")]
    return "", " | ".join(lines)[-200:]


class Server:
    """One server process on loopback with `directory` to itself."""
    name = ""
    takes_pushes = True

    def __init__(self, directory: Path, tls: Path | None):
        self.dir, self.tls, self.port = directory, tls, free_port()
        self.process: subprocess.Popen | None = None

    def spawn(self, argv: list[str], env: dict | None = None) -> None:
        log = (self.dir / "log").open("ab")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env={**os.environ, **(env or {})})
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{self.name} did not come up: {(self.dir / 'log').read_text()[-500:]}")

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    def pids(self) -> list[int]:
        return [self.process.pid]

    def cpu(self) -> float:
        """Seconds of user and system time of all its processes."""
        return sum(map(cpu_seconds, self.pids()))

    def memory(self, key: str) -> float:
        """MiB; VmRSS now, VmHWM the most since forget_peak()."""
        total = 0
        for pid in self.pids():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            total += next(int(l.split()[1]) for l in lines if l.startswith(key))
        return total / 1024

    def forget_peak(self) -> None:
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=300, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def headers(self, actions: str = "pull", name: str = NAME) -> dict:
        return {}

    def push_manifest(self, reference: str, body: bytes, kind: str) -> None:
        headers = {**self.headers("pull,push"), "Content-Type": kind}
        request(self.connect(), "PUT", f"/v2/{NAME}/manifests/{reference}", body, headers)

    def push_blob(self, body, chunk: int = 0, name: str = NAME, pause=None) -> str:
        """In one PUT, or in PATCHes of `chunk` bytes; `pause` is called when half is sent."""
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        headers, connection = self.headers("pull,push", name), self.connect()
        reply, _ = request(connection, "POST", f"/v2/{name}/blobs/uploads/", b"", headers)
        view, kind = memoryview(body), {"Content-Type": "application/octet-stream"}
        for at in range(0, len(body) if chunk else 0, chunk or 1):
            part = view[at:at + chunk]
            span = {"Content-Range": f"{at}-{at + len(part) - 1}"}
            reply, _ = request(connection, "PATCH", target(reply), part, {**headers, **kind, **span})
        rest = view[:0] if chunk else view
        where = target(reply)
        where += ("&" if "?" in where else "?") + "digest=" + digest
        connection.putrequest("PUT", where)
        for key, value in {**headers, **kind, "Content-Length": str(len(rest))}.items():
            connection.putheader(key, value)
        connection.endheaders()
        half = len(rest) // 2
        connection.send(rest[:half])
        if pause:
            pause()
        connection.send(rest[half:])
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 201, (self.name, answer.status, text[:300])
        connection.close()
        return digest


def target(reply: http.client.HTTPResponse) -> str:
    where = reply.getheader("Location")
    return "/" + where.split("/", 3)[3] if "://" in where else where


def request(connection, method: str, path: str, body, headers: dict) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request(method, path, body=body, headers=headers)
    reply = connection.getresponse()
    data = reply.read()
    assert reply.status < 300, (method, path, reply.status, data[:300])
    return reply, data


class Convoy(Server):
    """Everything as it is by default: tokens, audit log, request log."""
    name = "convoy"

    def __init__(self, directory: Path, tls: Path | None, tables: str = ""):
        super().__init__(directory, tls)
        self.registry = Registry(directory / "convoy", tls=tls is not None, tables=tables)

    def start(self) -> "Convoy":
        self.registry.__enter__()
        self.port, self.process = self.registry.port, self.registry.role.process
        return self

    def stop(self) -> None:
        if self.process:
            self.registry.__exit__(None)

    def headers(self, actions: str = "pull", name: str = NAME) -> dict:
        token = self.registry.client("alice").token(f"repository:{name}:{actions}")
        return {"Authorization": f"Bearer {token}"}


class Distribution(Server):
    """Of CNCF; without authentication and audit, which it would have to ask others for."""

    def __init__(self, directory: Path, tls: Path | None, name: str, program: str):
        super().__init__(directory, tls)
        self.name, self.program = name, program

    def start(self) -> "Distribution":
        tls = f"  tls: {{certificate: {self.tls}/crt, key: {self.tls}/key}}\n" if self.tls else ""
        config = self.dir / "config.yml"
        config.write_text(f"version: 0.1\nstorage:\n  filesystem: {{rootdirectory: {self.dir}/data}}\n"
                          f"http:\n  addr: 127.0.0.1:{self.port}\n{tls}")
        self.spawn([self.program, "serve", str(config)], {"OTEL_TRACES_EXPORTER": "none"})
        return self


class Nginx(Server):
    """The same bytes as plain files: what no registry can be much cheaper than."""
    name = "nginx"
    takes_pushes = False

    def start(self) -> "Nginx":
        d = self.dir
        ssl_lines = (f"ssl_certificate {self.tls}/crt; ssl_certificate_key {self.tls}/key; "
                     "ssl_protocols TLSv1.3;") if self.tls else ""
        temp = " ".join(f"{m}_temp_path {d}/{m};" for m in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (d / "conf").write_text(
            f"user {getpass.getuser()}; worker_processes 1; daemon off; pid {d}/pid; error_log {d}/error.log;\n"
            f"events {{ worker_connections 256; }}\nhttp {{ access_log {d}/access.log; sendfile on;\n"
            f"keepalive_requests 100000000; {temp}\nserver {{ listen 127.0.0.1:{self.port}"
            f"{' ssl' if self.tls else ''}; {ssl_lines} root {d}/www; }} }}\n")
        self.spawn(["nginx", "-c", str(d / "conf")])
        return self

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def put_file(self, path: str, body) -> None:
        file = self.dir / "www" / "v2" / NAME / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)

    def push_manifest(self, reference: str, body: bytes, kind: str) -> None:
        self.put_file(f"manifests/{reference}", body)

    def push_blob(self, body, chunk: int = 0, name: str = NAME, pause=None) -> str:
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        self.put_file(f"blobs/{digest}", body)
        return digest
