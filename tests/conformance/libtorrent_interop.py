#!/usr/bin/env python3
"""Convoy's engine against libtorrent, over TLS, as one SSL torrent of BitTorrent v2.

  libtorrent_interop.py leeches|seeds PATH_TO_BT_PEER

leeches: libtorrent downloads from Convoy. seeds: Convoy downloads from libtorrent, first
dialling it, then dialled by it. Exit code 77: libtorrent is not installed."""
import hashlib, json, os, subprocess, sys, tempfile, time

sys.path.insert(0, "/usr/lib/python3/dist-packages")
try:
    import libtorrent as lt
except ImportError:
    print("python3-libtorrent is not installed")
    sys.exit(77)

PIECE = 64 * 1024
# libtorrent 2.0.8 pads the last file of a v2 torrent to a whole piece and asks for 16 KiB where a short last
# block ends the blob, so what it downloads ends with a whole block; what it seeds may end anywhere. More than 512
# pieces: its piece layer is asked for in rows.
SIZES = {"leeches": 40 * 1024 * 1024 + 3 * 16384, "seeds": 40 * 1024 * 1024 + 12345}


def sh(*command, **kw):
    subprocess.run(command, check=True, capture_output=True, **kw)


def make_pki(work, name):
    """A root that signs leaves directly: libtorrent shows no intermediate certificates."""
    def path(p):
        return os.path.join(work, p)
    sh("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path("root.key"))
    sh("openssl", "req", "-x509", "-new", "-key", path("root.key"), "-days", "2", "-subj", "/CN=root",
       "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", path("root.pem"))
    with open(path("ext"), "w") as f:
        f.write(f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                f"extendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\n"
                f"authorityKeyIdentifier=keyid\nsubjectAltName=DNS:{name}\n")
    for leaf in ("convoy", "libtorrent"):
        sh("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path(leaf + ".key"))
        sh("openssl", "req", "-new", "-key", path(leaf + ".key"), "-subj", "/CN=" + leaf, "-out", path("csr"))
        sh("openssl", "x509", "-req", "-in", path("csr"), "-CA", path("root.pem"), "-CAkey", path("root.key"),
           "-days", "2", "-CAcreateserial", "-extfile", path("ext"), "-out", path(leaf + ".pem"))


def make_torrent(work, folder, name):
    fs = lt.file_storage()
    fs.add_file(name, os.path.getsize(os.path.join(folder, name)))
    ct = lt.create_torrent(fs, piece_size=PIECE, flags=lt.create_torrent.v2_only)
    ct.set_root_cert(open(os.path.join(work, "root.pem")).read())
    ct.set_priv(True)
    lt.set_piece_hashes(ct, folder)
    return lt.bencode(ct.generate())


def engine():
    return lt.session({"listen_interfaces": "127.0.0.1:0s", "enable_dht": False, "enable_lsd": False,
                       "enable_upnp": False, "enable_natpmp": False, "enable_outgoing_utp": False,
                       "enable_incoming_utp": False, "tick_interval": 50, "unchoke_slots_limit": -1,
                       "allow_multiple_connections_per_ip": True,
                       "alert_mask": lt.alert.category_t.all_categories})


def add(session, torrent, folder, work, piece_layers=True):
    params = lt.add_torrent_params()
    if piece_layers:
        params.ti = lt.torrent_info(lt.bdecode(torrent))
    else:  # from resume data: has to ask its peers for them
        info = lt.bdecode(torrent)[b"info"]
        params = lt.read_resume_data(lt.bencode({
            "file-format": "libtorrent resume file", "file-version": 1, "info": info,
            "info-hash2": hashlib.sha256(lt.bencode(info)).digest()}))
    params.save_path = folder
    params.flags = lt.torrent_flags.update_subscribe
    handle = session.add_torrent(params)
    handle.set_ssl_certificate(os.path.join(work, "libtorrent.pem"), os.path.join(work, "libtorrent.key"), "")
    return handle


def ssl_port(session):
    """The binding has no property for it: the listen_succeeded alert says it."""
    end = time.time() + 10
    while time.time() < end:
        for alert in session.pop_alerts():
            if type(alert).__name__ == "listen_succeeded_alert" and alert.port != 0:
                return alert.port
        time.sleep(0.02)
    raise SystemExit("libtorrent does not listen")


def start(bt_peer, work, *args):
    files = [os.path.join(work, n) for n in ("convoy.pem", "convoy.key", "root.pem")]
    process = subprocess.Popen([bt_peer, args[0], args[1], *files, str(PIECE), *map(str, args[2:])],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=open(os.path.join(work, "bt-peer.log"), "a"))
    return process, json.loads(process.stdout.readline())


def peer_errors(session):
    return [a.message() for a in session.pop_alerts() if type(a).__name__ in
            ("peer_error_alert", "peer_disconnected_alert", "torrent_error_alert", "hash_failed_alert")]


def leeches(bt_peer, work, data, name):
    os.makedirs(os.path.join(work, "seed"))
    source = os.path.join(work, "seed", name)
    open(source, "wb").write(data)
    torrent = make_torrent(work, os.path.join(work, "seed"), name)
    convoy, said = start(bt_peer, work, "seed", source)
    info_hash = str(lt.torrent_info(lt.bdecode(torrent)).info_hashes().v2)
    assert info_hash == said["info_hash"], (info_hash, said)
    session = engine()
    target = os.path.join(work, "leech")
    os.makedirs(target)
    handle = add(session, torrent, target, work, piece_layers=False)
    handle.connect_peer(("127.0.0.1", said["port"]))
    end = time.time() + 60
    while time.time() < end and not handle.status().is_seeding:
        time.sleep(0.02)
    status = handle.status()
    problems = peer_errors(session)
    convoy.stdin.close()
    tail = json.loads(convoy.stdout.readline())
    assert status.is_seeding, (status.total_payload_download, problems)
    assert open(os.path.join(target, name), "rb").read() == data
    assert tail["uploaded"] >= len(data), tail
    print("libtorrent", lt.__version__, "has all", len(data), "bytes from Convoy")


def seeds(bt_peer, work, data, name):
    folder = os.path.join(work, "seed")
    os.makedirs(folder)
    open(os.path.join(folder, name), "wb").write(data)
    torrent = make_torrent(work, folder, name)
    info = lt.torrent_info(lt.bdecode(torrent))
    root = info.files().root(0).to_bytes().hex() if hasattr(info.files().root(0), "to_bytes") \
        else str(info.files().root(0))
    session = engine()
    port = ssl_port(session)
    handle = add(session, torrent, folder, work)
    end = time.time() + 30
    while time.time() < end and not handle.status().is_seeding:
        time.sleep(0.02)
    for direction in ("Convoy dials", "libtorrent dials"):
        target = os.path.join(work, "leech-" + direction[0])
        address = ("127.0.0.1", port) if direction == "Convoy dials" else ()
        convoy, said = start(bt_peer, work, "leech", target, len(data), name, root, *address)
        assert said["info_hash"] == str(info.info_hashes().v2)
        if direction == "libtorrent dials":
            handle.connect_peer(("127.0.0.1", said["port"]))
        out, _ = convoy.communicate(timeout=100)
        tail = json.loads(out)
        assert tail["complete"] and convoy.returncode == 0, (direction, tail, peer_errors(session))
        assert open(target, "rb").read() == data
        print(direction + ":", "Convoy has all", tail["from_peers"], "bytes from libtorrent", lt.__version__)


def main():
    case, bt_peer = sys.argv[1], sys.argv[2]
    data = os.urandom(SIZES[case])
    name = hashlib.sha256(data).hexdigest()
    with tempfile.TemporaryDirectory(prefix="convoy-interop-") as work:
        make_pki(work, name)
        try:
            {"leeches": leeches, "seeds": seeds}[case](bt_peer, work, data, name)
        except BaseException:
            log = os.path.join(work, "bt-peer.log")
            if os.path.exists(log):
                sys.stderr.write(open(log).read()[-4000:])
            raise


main()
