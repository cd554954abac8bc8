"""A registry by itself, and a client of the distribution API with nothing but the standard library."""
import base64
import http.client
import json
import re
import secrets
import socket
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from .cluster import Role, convoy


@dataclass
class Registry:
    """One `convoy registry` process on loopback, of plain HTTP unless `tls`.

    alice may do everything in team/** and conf/**; bob may pull team/shared; everyone may pull
    public/**, which alice fills; carol may do everything in other/**.
    """
    dir: Path
    tls: bool = False
    allow_delete: bool = True
    extra: str = ""              # further lines of [registry]
    tables: str = ""             # further tables
    password: str = field(default_factory=lambda: secrets.token_hex(8))

    def __enter__(self) -> "Registry":
        self.dir.mkdir(parents=True, exist_ok=True)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.pki = self.dir / "pki"
        convoy("pki", "init", "--dir", str(self.pki), "--cluster", "lab", "--trust-domain", "lab.test",
               "--registry-host", "127.0.0.1", "--tracker-host", "127.0.0.1")
        users = self.dir / "users"
        users.touch(mode=0o600)
        hashed = convoy("user", "hash", stdin=self.password).stdout.strip()
        users.write_text("".join(f"{u}:{hashed}\n" for u in ("alice", "bob", "carol")))
        self.role = Role(self.dir / "registry", "registry", self.config(users))
        try:
            self.role.start()
        except BaseException:
            self.role.stop()
            raise
        return self

    def __exit__(self, kind, *_) -> None:
        self.role.stop()
        if kind is not None:
            print(self.role.tail(25))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        return self.pki / "agent" / "service-ca.pem"

    def client(self, user: str | None = "alice") -> "Client":
        return Client(self, user)

    def config(self, users: Path) -> str:
        p = self.pki
        tls = (f'[registry.tls]\ncert_file = "{p}/registry/server.pem"\n'
               f'key_file = "{p}/registry/server.key"\n') if self.tls else ""
        return f"""
[registry]
data_dir = "{self.dir}/registry/data"
listen = "127.0.0.1:{self.port}"
users_file = "{users}"
plain_http = {str(not self.tls).lower()}
allow_delete = {str(self.allow_delete).lower()}
{self.extra}
{tls}
[registry.tokens]
cert_file = "{p}/registry/token.pem"
key_file = "{p}/registry/token.key"
roots_file = "{p}/registry/token-ca.pem"
[registry.metadata]
cert_file = "{p}/registry/metadata.pem"
key_file = "{p}/registry/metadata.key"
[[registry.grant]]
repositories = ["team/**", "conf/**", "public/**"]
actions = ["*"]
users = ["alice"]
[[registry.grant]]
repositories = ["**"]
users = ["alice"]
[[registry.grant]]
repositories = ["team/shared"]
users = ["bob"]
[[registry.grant]]
repositories = ["other/**"]
actions = ["*"]
users = ["carol"]
[[registry.grant]]
repositories = ["public/**"]
users = ["anonymous"]
{self.tables}
[audit]
file = "{self.dir}/registry/audit.log"
[ops]
listen = "127.0.0.1:0"
"""


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def json(self):
        return json.loads(self.body)

    def code(self) -> str:
        """The first code of the error body, which every refusal must have."""
        return self.json()["errors"][0]["code"]

    def __repr__(self) -> str:
        return f"{self.status} {dict(self.headers)} {self.body[:300]!r}"


class Client:
    """Asks for tokens as clients do: at a 401, for the scope that the challenge names."""

    def __init__(self, registry: Registry, user: str | None):
        self.registry, self.user = registry, user
        self.tokens: dict[str, str] = {}
        self.local = threading.local()

    def connect(self) -> http.client.HTTPConnection:
        if self.registry.tls:
            context = ssl.create_default_context(cafile=str(self.registry.ca))
            return http.client.HTTPSConnection("127.0.0.1", self.registry.port, timeout=60, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.registry.port, timeout=60)

    def raw(self, method: str, path: str, body=None, headers: dict | None = None) -> Reply:
        """One request as it stands; an iterable body goes out chunked."""
        for attempt in (1, 2):
            connection = getattr(self.local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = self.local.connection = self.connect()
            try:
                connection.request(method, path, body=body, headers=headers or {},
                                   encode_chunked=hasattr(body, "__next__"))
                answer = connection.getresponse()
                reply = Reply(answer.status, answer.headers, answer.read())
                if answer.will_close:
                    self.local.connection = None
                return reply
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # The server may close an idle connection at any time; a fresh one it may not.
                connection.close()
                self.local.connection = None
                if fresh or attempt == 2:
                    raise
        raise AssertionError("not reached")

    def token(self, scope: str) -> str:
        query = urllib.parse.urlencode({"service": "convoy-registry", "scope": scope})
        headers = {}
        if self.user:
            secret = base64.b64encode(f"{self.user}:{self.registry.password}".encode()).decode()
            headers["Authorization"] = f"Basic {secret}"
        reply = self.raw("GET", f"/token?{query}", headers=headers)
        assert reply.status == 200, reply
        return reply.json()["token"]

    def request(self, method: str, path: str, body=None, headers: dict | None = None,
                scope: str | None = None) -> Reply:
        headers = dict(headers or {})
        make = body if callable(body) else lambda: body
        key = scope or f"{'pull' if method in ('GET', 'HEAD') else method} {path.partition('?')[0]}"
        if scope and scope not in self.tokens:
            self.tokens[scope] = self.token(scope)
        if key in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[key]}"
        reply = self.raw(method, path, make(), headers)
        if reply.status != 401 or scope:
            return reply
        wanted = re.search(r'scope="([^"]*)"', reply.header("WWW-Authenticate"))
        named = wanted.group(1) if wanted else ""
        if named not in self.tokens:
            self.tokens[named] = self.token(named)
        self.tokens[key] = self.tokens[named]
        headers["Authorization"] = f"Bearer {self.tokens[key]}"
        reply = self.raw(method, path, make(), headers)
        if reply.status == 401:
            self.tokens.clear()
        return reply

    def get(self, path: str, **headers) -> Reply:
        return self.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def head(self, path: str, **headers) -> Reply:
        return self.request("HEAD", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def delete(self, path: str) -> Reply:
        return self.request("DELETE", path)
