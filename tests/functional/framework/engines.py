"""Real container engines, each with directories and a socket of its own."""
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .lab import Lab


def missing(*programs: str) -> str:
    """Why an engine cannot run here; "" when it can."""
    if os.geteuid() != 0:
        return "container engines need root"
    absent = [p for p in programs if not shutil.which(p)]
    return f"not installed: {', '.join(absent)}" if absent else ""


def run(argv: list[str], ns: str | None = None, env: dict | None = None, timeout: float = 120,
        check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run(Lab.inside(ns, argv), capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Daemon:
    def __init__(self, argv: list[str], directory: Path, ready, ns: str | None = None,
                 env: dict | None = None):
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / "log"
        self.process = subprocess.Popen(
            Lab.inside(ns, argv), stdin=subprocess.DEVNULL, stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **(env or {})})
        for _ in range(300):
            if ready():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise AssertionError(f"{argv[0]} did not come up:\n{self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Containerd:
    """One node's containerd; `hosts` maps a registry host to the hosts.toml text."""

    def __init__(self, directory: Path, ns: str | None, hosts: dict[str, str]):
        self.dir, self.ns = directory, ns
        self.sock = directory / "c.sock"
        self.certs = directory / "certs.d"
        for host, text in hosts.items():
            (self.certs / host).mkdir(parents=True)
            (self.certs / host / "hosts.toml").write_text(text)
        (directory / "config.toml").write_text(f"""
version = 2
root = "{directory}/root"
state = "{directory}/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "{self.sock}"
[ttrpc]
  address = "{self.sock}.ttrpc"
[debug]
  address = ""
[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  disable_tcp_service = true
  stream_server_port = "0"
  sandbox_image = "localhost/none:none"
  [plugins."io.containerd.grpc.v1.cri".cni]
    conf_dir = "{directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{self.certs}"
""")
        self.daemon = Daemon(["containerd", "--config", str(directory / "config.toml")], directory,
                             lambda: self.ctr("version", check=False).returncode == 0, ns)

    def ctr(self, *args: str, check: bool = True, timeout: float = 120):
        return run(["ctr", "-a", str(self.sock), "-n", "k8s.io", *args], self.ns, check=check,
                   timeout=timeout)

    def cri_pull(self, image: str, timeout: float = 120) -> None:
        """One gRPC call, runtime.v1.ImageService/PullImage, as a kubelet makes it."""
        def field(number: int, data: bytes) -> bytes:
            length, out = len(data), bytes([number << 3 | 2])
            while length > 127:
                out += bytes([length & 127 | 128])
                length >>= 7
            return out + bytes([length]) + data

        body = field(1, field(1, image.encode()))
        frame = b"\0" + len(body).to_bytes(4, "big") + body
        (self.dir / "request").write_bytes(frame)
        run(["curl", "-sS", "--http2-prior-knowledge", "--unix-socket", str(self.sock), "-X", "POST",
             "-H", "content-type: application/grpc", "-H", "te: trailers",
             "--data-binary", f"@{self.dir}/request", "-D", str(self.dir / "headers"),
             "-o", "/dev/null", "http://localhost/runtime.v1.ImageService/PullImage"],
            timeout=timeout)
        headers = (self.dir / "headers").read_text().lower()
        assert "grpc-status: 0" in headers, headers

    def run_image(self, image: str) -> str:
        name = f"cv{os.getpid()}{time.monotonic_ns() % 10**9}"
        return self.ctr("run", "--rm", "--net-host", image, name).stdout

    def stop(self) -> None:
        self.daemon.stop()


class Dockerd:
    """One node's dockerd whose pulls and pushes go through `proxy`, whose CA is `ca`."""

    def __init__(self, directory: Path, ns: str | None, proxy: str, ca: Path):
        self.dir, self.ns = directory, ns
        self.sock = directory / "d.sock"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "daemon.json").write_text(
            json.dumps({"deprecated-key-path": str(directory / "key.json")}))
        roots = directory / "roots.pem"
        system = Path("/etc/ssl/certs/ca-certificates.crt")
        roots.write_text((system.read_text() if system.exists() else "") + ca.read_text())
        env = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": "", "SSL_CERT_FILE": str(roots)}
        self.daemon = Daemon(
            ["dockerd", "--config-file", str(directory / "daemon.json"),
             "--data-root", str(directory / "data"), "--exec-root", str(directory / "exec"),
             "--pidfile", str(directory / "pid"), "--host", f"unix://{self.sock}",
             "--group", "root", "--bridge", "none", "--iptables=false", "--ip6tables=false"],
            directory, lambda: self.docker("version", check=False).returncode == 0, ns, env)

    def docker(self, *args: str, check: bool = True, timeout: float = 180):
        return run(["docker", "--config", str(self.dir / "client"), "-H", f"unix://{self.sock}", *args],
                   check=check, timeout=timeout)

    def stop(self) -> None:
        self.daemon.stop()
        run(["umount", str(self.dir / "exec" / "netns" / "default")], check=False)


class Podman:
    def __init__(self, directory: Path, ns: str | None, registries_conf: str):
        self.dir, self.ns = directory, ns
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "registries.conf").write_text(registries_conf)
        (directory / "containers.conf").write_text(
            '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n'
            '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\n')
        (directory / "policy.json").write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
        self.env = {"CONTAINERS_CONF": str(directory / "containers.conf"),
                    "CONTAINERS_REGISTRIES_CONF": str(directory / "registries.conf")}

    def podman(self, *args: str, check: bool = True, timeout: float = 180):
        base = ["podman", "--root", str(self.dir / "root"), "--runroot", str(self.dir / "run"),
                "--tmpdir", str(self.dir / "tmp")]
        return run([*base, *args], self.ns, self.env, timeout, check)

    def pull(self, image: str) -> None:
        self.podman("pull", "--signature-policy", str(self.dir / "policy.json"), image)

    def run_image(self, image: str) -> str:
        return self.podman("run", "--rm", "--network", "host", image).stdout
