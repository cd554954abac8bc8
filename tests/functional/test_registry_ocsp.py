"""The registry staples what an OCSP responder of openssl says of its certificate."""
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from framework.registry import Registry


def openssl(*args: str, stdin: str = "") -> str:
    done = subprocess.run(["openssl", *args], input=stdin, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Ca:
    """An authority with a responder at a port of its own; it knows the certificates 1001 and 1002."""

    def __init__(self, folder: Path):
        folder.mkdir()
        self.cert, self.key, self.index = (str(folder / n) for n in ("ca.pem", "ca.key", "index"))
        self.folder = folder
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=ca",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-days", "2", "-keyout", self.key, "-out", self.cert)
        Path(self.index).write_text("".join(f"V\t490101000000Z\t\t{serial:04X}\tunknown\t/CN={serial:X}\n"
                                            for serial in (0x1001, 0x1002)))

    def issue(self, serial: int, cert: Path, key: Path) -> None:
        request, extensions = self.folder / "csr", self.folder / "ext"
        extensions.write_text("basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                              "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1\n"
                              f"authorityInfoAccess=OCSP;URI:http://127.0.0.1:{self.port}/\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=registry",
                "-keyout", str(key), "-out", str(request))
        key.chmod(0o600)
        leaf = openssl("x509", "-req", "-in", str(request), "-CA", self.cert, "-CAkey", self.key, "-days", "2",
                       "-set_serial", str(serial), "-extfile", str(extensions))
        cert.write_text(leaf + Path(self.cert).read_text())

    def respond(self) -> subprocess.Popen:
        responder = subprocess.Popen(["openssl", "ocsp", "-index", self.index, "-port", str(self.port), "-rsigner", self.cert,
                                      "-rkey", self.key, "-CA", self.cert, "-ndays", "1"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert "waiting" in responder.stderr.readline().lower()
        return responder


class Stapled(Registry):
    """With a certificate of that authority."""
    ca_of_test: Ca

    def config(self, users: Path) -> str:
        self.reissue(0x1001)
        return super().config(users)

    def reissue(self, serial: int) -> None:
        folder = self.pki / "registry"
        self.ca_of_test.issue(serial, folder / "server.pem", folder / "server.key")

    def staple(self) -> tuple[str, str]:
        """The serial number of the certificate and its status as stapled, "" for none."""
        said = subprocess.run(["openssl", "s_client", "-connect", self.host, "-status", "-CAfile", self.ca_of_test.cert],
                              input="", capture_output=True, text=True, timeout=30).stdout
        pem = re.search(r"Server certificate\n(-----BEGIN.*?END CERTIFICATE-----)", said, re.S).group(1)
        serial = openssl("x509", "-noout", "-serial", stdin=pem).strip().partition("=")[2]
        status = re.search(r"Cert Status: (\w+)", said)
        return serial, status.group(1) if status else ""

    def staples(self, serial: str, status: str) -> None:
        until = time.monotonic() + 15
        while (now := self.staple()) != (serial, status):
            assert time.monotonic() < until, now
            time.sleep(0.1)


def test_a_staple_comes_stays_and_goes_with_its_certificate(tmp_path):
    ca = Ca(tmp_path / "ca")
    registry = Stapled(tmp_path / "registry", tls=True)
    registry.ca_of_test = ca
    responder = None
    try:
        with registry:
            # Nobody answers: it serves without, and asks again.
            assert registry.staple() == ("1001", "")
            responder = ca.respond()
            registry.role.process.send_signal(signal.SIGHUP)
            registry.staples("1001", "good")
            # A responder that takes the question and does not answer holds nobody up.
            responder.send_signal(signal.SIGSTOP)
            assert registry.staple() == ("1001", "good")
            registry.reissue(0x1002)
            registry.role.process.send_signal(signal.SIGHUP)
            registry.staples("1002", "")
            responder.send_signal(signal.SIGCONT)
            registry.staples("1002", "good")
    finally:
        if responder:
            responder.kill()
            responder.communicate()
