"""One libtorrent peer of the baseline, in its own process and namespace. Told everything by JSON
on stdin: a first line of set-up, a second to begin; answers with one line when it is complete."""
import json
import sys
import time

sys.path.insert(0, "/usr/lib/python3/dist-packages")
import libtorrent as lt  # noqa: E402

COMMON = {"enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
          "enable_outgoing_utp": False, "enable_incoming_utp": False, "allow_multiple_connections_per_ip": True}
TUNED = {"strict_end_game_mode": True, "request_queue_time": 1, "initial_picker_threshold": 0,
         "whole_pieces_threshold": 1, "unchoke_slots_limit": -1, "unchoke_interval": 1, "tick_interval": 100,
         "connection_speed": 200, "close_redundant_connections": False, "aio_threads": 2, "hashing_threads": 1}


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    settings = {**COMMON, **(TUNED if setup["tuned"] else {}), "listen_interfaces": f"{setup['ip']}:{setup['port']}s"}
    session = lt.session(settings)
    info = lt.torrent_info(setup["torrent"])
    handle = session.add_torrent({"ti": info, "save_path": setup["path"]})
    handle.set_ssl_certificate(setup["cert"], setup["key"], "")
    handle.resume()
    if setup["seed"]:
        while not handle.status().is_seeding:
            time.sleep(0.02)
        print(json.dumps({"ready": True}), flush=True)
        sys.stdin.readline()
        status = handle.status()
        print(json.dumps({"uploaded": status.total_payload_upload}), flush=True)
        return
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    start = time.monotonic()
    for ip, port in setup["peers"]:
        handle.connect_peer((ip, port))
    count, prefix, area, first = info.num_pieces(), 0, 0.0, 0.0
    while True:
        status = handle.status()
        now = time.monotonic() - start
        have = status.pieces
        while prefix < count and (status.is_seeding or (prefix < len(have) and have[prefix])):
            first = first or now
            area += now * info.piece_size(prefix)
            prefix += 1
        if prefix == count:
            break
        time.sleep(0.03)
    print(json.dumps({"seconds": now, "first": first, "area": area, "redundant": status.total_redundant_bytes}),
          flush=True)
    sys.stdin.readline()  # seeds on until told to go
    

if __name__ == "__main__":
    main()
