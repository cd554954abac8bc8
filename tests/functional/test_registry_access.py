"""What the registry's configuration says of rates, connections and slow clients, at the edge and past it."""
import select
import socket
import ssl
import time

import pytest

from framework.registry import Registry

LIMITS = """
[registry.limits]
header_timeout = "1s"
upload_min_rate = "1KB/s"
upload_min_rate_span = "1s"
connections_per_address = 4
requests_per_address = 1
requests_per_address_burst = 10
requests_per_user = 1
requests_per_user_burst = 3
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with Registry(tmp_path_factory.mktemp("access"), tls=True, tables=LIMITS) as running:
        yield running


def talk(registry, address: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(registry.ca))
    plain = socket.create_connection(("127.0.0.1", registry.port), 10, (address, 0))
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def statuses(registry, address: str, count: int, token: str = "") -> list[bytes]:
    answers = []
    with talk(registry, address) as client:
        file = client.makefile("rb")
        for _ in range(count):
            bearer = f"Authorization: Bearer {token}\r\n" if token else ""
            client.sendall(f"GET /v2/ HTTP/1.1\r\nHost: x\r\n{bearer}\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += file.readline()
            length = next(int(l.split()[1]) for l in head.splitlines() if l.lower().startswith(b"content-length"))
            file.read(length)
            answers.append(head)
    return answers


def test_an_address_has_its_burst_and_others_have_theirs(registry):
    heads = statuses(registry, "127.0.0.2", 11)
    assert all(h.startswith(b"HTTP/1.1 401") for h in heads[:10])
    assert heads[10].startswith(b"HTTP/1.1 429") and b"Retry-After: 1\r\n" in heads[10]
    assert statuses(registry, "127.0.0.3", 1)[0].startswith(b"HTTP/1.1 401")


def test_a_user_has_his_burst_from_wherever_he_comes(registry):
    token = registry.client().token("repository:team/app:pull")  # the first of three
    heads = statuses(registry, "127.0.0.4", 2, token) + statuses(registry, "127.0.0.5", 1, token)
    assert [h.split()[1] for h in heads] == [b"200", b"200", b"429"]


def test_an_address_holds_four_connections(registry):
    held = [talk(registry, "127.0.0.6") for _ in range(4)]
    with pytest.raises(OSError):
        talk(registry, "127.0.0.6")
    talk(registry, "127.0.0.7").close()
    held.pop().close()
    time.sleep(0.2)
    held.append(talk(registry, "127.0.0.6"))
    for one in held:
        one.close()


def ends_within(connection: socket.socket, drip: bytes, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if drip:
                connection.sendall(drip)
            if select.select([connection], [], [], 0.1)[0] and connection.recv(4096) == b"":
                return True
        except OSError:
            return True
    return False


def test_slow_handshakes_heads_and_bodies_end(registry):
    with socket.create_connection(("127.0.0.1", registry.port), 10, ("127.0.0.8", 0)) as silent:
        assert ends_within(silent, b"", 4)
    with talk(registry, "127.0.0.8") as head:
        head.sendall(b"GET /v2/ HTTP/1.1\r\n")
        assert ends_within(head, b"a", 10)
    with talk(registry, "127.0.0.8") as body:
        body.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                     b"Content-Length: 8000\r\n\r\n")
        assert ends_within(body, b"a", 10)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_is_1_2_or_newer(registry):
    def version(newest: ssl.TLSVersion) -> str | None:
        context = ssl.create_default_context(cafile=str(registry.ca))
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
        with socket.create_connection(("127.0.0.1", registry.port), 10, ("127.0.0.9", 0)) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as client:
                return client.version()

    assert version(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert version(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLError):
        version(ssl.TLSVersion.TLSv1_1)
