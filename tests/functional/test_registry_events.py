"""Webhooks of a real registry, with a receiver that refuses, hangs, dies and comes back."""
import hashlib
import hmac
import http.server
import json
import re
import secrets
import signal
import ssl
import threading
import time
from pathlib import Path

import pytest

from framework import oci
from framework.cluster import convoy
from framework.oci import Content
from framework.registry import Registry


class Receiver:
    """Answers by `behave(number of the request, headers)`: a status, or a status and headers."""

    def __init__(self, port: int = 0):
        self.port, self.behave = port, lambda n, headers: 204
        self.tls: ssl.SSLContext | None = None
        self.requests: list[tuple[dict, bytes]] = []
        self.server = None

    def __enter__(self) -> "Receiver":
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((dict(self.headers), body))
                answer = outer.behave(len(outer.requests), self.headers)
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()

    def events(self) -> list[dict]:
        return [json.loads(body) for _, body in self.requests]

    def subjects(self) -> list[str]:
        return [e["subject"] for e in self.events()]


def wait_for(what, timeout: float = 30) -> None:
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


SECRET = secrets.token_hex(32)


def hook(port: int, folder: Path, more: str = "", name: str = "ci") -> str:
    folder.mkdir(exist_ok=True)
    file = folder / "hook-secret"
    file.touch(mode=0o600)
    file.write_text(SECRET + "\n")
    return (f'[[registry.webhook]]\nname = "{name}"\nurl = "http://127.0.0.1:{port}/hook?key=canary-in-url"\n'
            f'secret_file = "{file}"\ntimeout = "500ms"\n{more}\n')


def verified(headers: dict, body: bytes, secret: str = SECRET) -> bool:
    fields = dict(part.partition("=")[::2] for part in headers["Convoy-Signature"].split(","))
    wanted = hmac.new(secret.encode(), fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, fields["v1"]) and abs(time.time() - int(fields["t"])) < 300


def counted(registry: Registry, outcome: str, name: str = "ci") -> int:
    text = registry.role.ops("/metrics")[1]
    found = re.search(rf'convoy_registry_events_total{{outcome="{outcome}",webhook="{name}"}} (\d+)', text)
    return int(found.group(1))


def push(client, tag: str, repo: str = "team/app") -> str:
    content = Content()
    dig = content.image(layers=1)["digest"]
    for blob, data in content.blobs.items():
        assert oci.post_put(client, repo, blob, data).status == 201
    reply = oci.put_manifest(client, repo, tag, content.manifests[dig], oci.IMAGE)
    assert reply.status == 201, reply
    return dig


def logs(registry: Registry) -> str:
    return registry.role.log.read_text() + registry.role.audit.read_text()


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def test_what_is_told_and_that_it_is_signed(workdir, receiver):
    tables = hook(receiver.port, workdir, 'events = ["push", "pull", "delete"]\nrepositories = ["team/**"]')
    with Registry(workdir / "r", tables=tables) as registry:
        alice = registry.client("alice")
        dig = push(alice, "v1")
        push(alice, "v1", "conf/app")  # nobody asked for it
        assert alice.get("/v2/team/app/manifests/v1").status == 200
        assert alice.head("/v2/team/app/manifests/v1").status == 200
        assert registry.client("bob").get("/v2/team/app/manifests/v1").status == 401
        assert alice.delete("/v2/team/app/manifests/v1").status == 202
        assert alice.delete(f"/v2/team/app/manifests/{dig}").status == 202
        wait_for(lambda: len(receiver.requests) >= 4)
        prefix = "dev.convoy.registry."
        assert [(e["type"].removeprefix(prefix), e["subject"]) for e in receiver.events()] == [
            ("manifest.pushed", f"team/app@{dig}"), ("manifest.pulled", f"team/app@{dig}"),
            ("tag.deleted", "team/app:v1"), ("manifest.deleted", f"team/app@{dig}")]
        assert len({e["id"] for e in receiver.events()}) == 4
        for (headers, body), event in zip(receiver.requests, receiver.events()):
            assert headers["Content-Type"] == "application/cloudevents+json"
            assert verified(headers, body) and not verified(headers, body + b" ")
            assert event["specversion"] == "1.0" and event["data"]["actor"] == "alice"
            assert f'"request_id":"{event["data"]["requestId"]}"' in logs(registry)
        wait_for(lambda: counted(registry, "delivered") == 4)
    for canary in (SECRET, "canary-in-url"):
        assert canary not in logs(registry)


def test_a_receiver_that_fails_hangs_dies_and_comes_back(workdir):
    receiver = Receiver()
    with receiver:
        tables = hook(receiver.port, workdir)
    # Nobody listens yet.
    with Registry(workdir / "r", tables=tables) as registry:
        alice = registry.client("alice")
        digests = [push(alice, f"v{n}") for n in range(3)]
        wait_for(lambda: "webhook receiver fails" in logs(registry))
        receiver.behave = lambda n, _: (time.sleep(2), 204)[1] if n == 1 else 503 if n == 2 else 204
        with receiver:
            wait_for(lambda: counted(registry, "delivered") == 3)
        with receiver:
            digests.append(push(alice, "v3"))
            wait_for(lambda: counted(registry, "delivered") == 4)
        # In order; what was tried again has the same id and a fresh signature.
        assert receiver.subjects() == [f"team/app@{digests[n]}" for n in (0, 0, 0, 1, 2, 3)]
        assert len({e["id"] for e in receiver.events()}) == 4
        assert all(verified(headers, body) for headers, body in receiver.requests)
        assert logs(registry).count("webhook receiver fails") == 1
    assert SECRET not in logs(registry)


def test_a_receiver_whose_certificate_does_not_verify_gets_nothing(workdir):
    receiver = Receiver()
    with receiver:
        hooks = [hook(receiver.port, workdir, name="trusts", more=f'roots_file = "{workdir}/r/pki/agent/service-ca.pem"'),
                 hook(receiver.port, workdir, name="does-not")]
    with Registry(workdir / "r", tables="".join(hooks).replace("http:", "https:")) as registry:
        receiver.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        receiver.tls.load_cert_chain(registry.pki / "registry/server.pem", registry.pki / "registry/server.key")
        with receiver:
            dig = push(registry.client("alice"), "v1")
            wait_for(lambda: counted(registry, "delivered", "trusts") == 1)
            wait_for(lambda: '"webhook":"does-not"' in logs(registry))
            assert receiver.subjects() == [f"team/app@{dig}"]


def test_what_is_refused_is_dropped_and_no_redirect_is_followed(workdir, receiver):
    with Receiver() as elsewhere, Registry(workdir / "r", tables=hook(receiver.port, workdir)) as registry:
        target = {"Location": f"http://127.0.0.1:{elsewhere.port}/"}
        receiver.behave = lambda n, _: {1: 410, 2: (302, target), 3: (307, target)}.get(n, 204)
        alice = registry.client("alice")
        for n in range(4):
            push(alice, f"v{n}")
        wait_for(lambda: counted(registry, "delivered") == 1)
        assert counted(registry, "refused") == 3 and not elsewhere.requests


def test_pushes_and_pulls_do_not_wait_for_a_receiver_that_hangs(workdir, receiver):
    receiver.behave = lambda n, _: (time.sleep(60), 204)[1]
    tables = hook(receiver.port, workdir, 'events = ["push", "pull"]\nqueue = 5')
    with Registry(workdir / "r", tables=tables.replace("500ms", "60s")) as registry:
        alice = registry.client("alice")
        push(alice, "v0")
        wait_for(lambda: receiver.requests)
        began = time.monotonic()
        for _ in range(300):
            assert alice.get("/v2/team/app/manifests/v0").status == 200
        for n in range(1, 4):
            push(alice, f"v{n}")
        assert time.monotonic() - began < 30
        assert counted(registry, "overflow") == 298
        assert 'convoy_registry_events_waiting{webhook="ci"} 5' in registry.role.ops("/metrics")[1]
        # Its grace, and no more.
        began = time.monotonic()
        assert registry.role.stop() == 0
        assert time.monotonic() - began < 15
    assert re.search(r'webhook events lost at the stop.*"count":6', logs(registry))


def test_what_waits_is_delivered_before_the_stop(workdir):
    receiver = Receiver()
    with receiver:
        tables = hook(receiver.port, workdir)
    with Registry(workdir / "r", tables=tables) as registry:
        alice = registry.client("alice")
        for n in range(5):
            push(alice, f"v{n}")
        wait_for(lambda: "webhook receiver fails" in logs(registry))
        time.sleep(4)  # so that the next try by itself would come later
        with receiver:
            assert registry.role.stop() == 0
            assert len({e["id"] for e in receiver.events()}) == 5


def test_retention_tells_what_it_removes(workdir, receiver):
    tables = hook(receiver.port, workdir) + ('[[registry.project]]\nname = "team"\n'
                                             "[[registry.project.retention]]\nkeep_newest = 1\n")
    with Registry(workdir / "r", tables=tables) as registry:
        alice = registry.client("alice")
        old = push(alice, "v1")
        time.sleep(1.1)
        push(alice, "v2")
        convoy("gc", "--config", str(registry.role.config), "--dry-run")
        convoy("gc", "--config", str(registry.role.config))
        wait_for(lambda: len(receiver.requests) >= 3)
        event = receiver.events()[2]
        assert event["subject"] == "team/app:v1" and event["data"] == {
            "repository": "team/app", "digest": old, "tags": ["v1"], "mediaType": oci.IMAGE, "actor": "retention"}
        assert len(receiver.requests) == 3


def test_a_secret_is_changed_while_the_registry_runs(workdir, receiver):
    with Registry(workdir / "r", tables=hook(receiver.port, workdir)) as registry:
        alice = registry.client("alice")
        push(alice, "v1")
        wait_for(lambda: len(receiver.requests) == 1)
        assert verified(*receiver.requests[0])
        for text, told in (("another-secret-of-some-length\n", "reloaded"), ("short\n", "reload refused")):
            (workdir / "hook-secret").write_text(text)
            registry.role.process.send_signal(signal.SIGHUP)
            wait_for(lambda: told in registry.role.log.read_text())
            push(alice, "v2")
            wait_for(lambda: len(receiver.requests) == (2 if told == "reloaded" else 3))
            assert not verified(*receiver.requests[-1])
            assert verified(*receiver.requests[-1], secret="another-secret-of-some-length"), told
