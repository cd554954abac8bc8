#!/usr/bin/python3
"""Runs a program on Debian's own kernel, for what the kernel at hand may lack.

    run.py KERNEL PROGRAM [ARG...]

KERNEL is an unpacked linux-image package (`./dev setup` puts one into build/kernel). The program runs
as root in a virtual machine, emulated and so many times slower, with its libraries, loopback and the
kernel's TLS and ciphers, which load when they are asked for. Its exit status is that of this command.
"""
import gzip
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

MODULES = ["crypto", "arch/x86/crypto", "lib/crypto", "net/tls"]
COMMANDS = ["sh", "mount", "ifconfig", "depmod", "modprobe", "poweroff"]
INIT = """#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
ifconfig lo 127.0.0.1 up
depmod
{command} 2>&1
echo "exit status $?"
poweroff -f
"""
EXIT = re.compile(rb"exit status (\d+)\r?$", re.M)


class Archive:
    """What the kernel unpacks into memory when it starts: a cpio archive, format newc."""

    def __init__(self, out):
        self.out = out
        self.folders = set()

    def add(self, path: str, content: bytes, mode: int = 0o100755):
        for parent in reversed(pathlib.PurePath(path).parents[:-1]):
            if parent not in self.folders:
                self.folders.add(parent)
                self._entry(str(parent), b"", 0o040755)
        self._entry(path, content, mode)

    def link(self, path: str, target: str):
        self.add(path, target.encode(), 0o120777)

    def close(self):
        self._entry("TRAILER!!!", b"", 0)

    def _entry(self, name: str, content: bytes, mode: int):
        fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        for part in (head, content):
            self.out.write(part + b"\0" * (-len(part) % 4))


def libraries(program: str):
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"(/\S+) \(0x", listed)))


def only(folder: pathlib.Path, pattern: str) -> pathlib.Path:
    found = sorted(folder.glob(pattern))
    if not found:
        sys.exit(f"{folder} has no {pattern}: ./dev setup fetches a kernel")
    return found[-1]


def pack(out, kernel: pathlib.Path, command: list[str]):
    archive = Archive(out)
    archive.add("init", INIT.format(command=shlex.join(["/program", *command[1:]])).encode())
    archive.add("program", pathlib.Path(command[0]).read_bytes())
    archive.add("bin/busybox", pathlib.Path("/bin/busybox").read_bytes())
    for name in COMMANDS:
        archive.link(f"bin/{name}", "busybox")
    archive.link("sbin", "bin")  # where the kernel looks for modprobe
    for path in libraries(command[0]):
        archive.add(path[1:], pathlib.Path(path).read_bytes())
    modules = only(kernel, "lib/modules/*")
    for folder in MODULES:
        for path in modules.glob(f"kernel/{folder}/**/*.ko"):
            archive.add(str(path.relative_to(kernel)), path.read_bytes(), 0o100644)
    for name in ("proc", "dev", "tmp"):
        archive.add(f"{name}/.keep", b"", 0o100644)
    archive.close()


def main(kernel: pathlib.Path, command: list[str]) -> int:
    with tempfile.NamedTemporaryFile() as image:
        with gzip.open(image, "wb", compresslevel=1) as out:
            pack(out, kernel, command)
        image.flush()
        machine = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "1024",
                   "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
                   "-kernel", str(only(kernel, "boot/vmlinuz-*")), "-initrd", image.name,
                   "-append", "console=ttyS0 quiet panic=-1"]
        said = subprocess.run(machine, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
    sys.stdout.buffer.write(said)
    ended = EXIT.findall(said)
    return int(ended[-1]) if ended else 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
