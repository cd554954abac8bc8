"""What several benches take from /proc, and how they sum up their runs."""
import os
import statistics
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_exact(pid: int) -> float:
    """Seconds its present threads were on a CPU, to the nanosecond."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(l.split()[1]) for l in status.splitlines() if l.startswith("VmHWM")) / 1024


def warm_memory(directory: Path, mib: int) -> None:
    """Has the kernel take up memory for files and free it again. Where this is a virtual machine, whose
    host gives it memory when it first touches it, whoever comes first would pay 2 CPU-s for each GiB."""
    file, step = directory / "warm", bytes(1 << 20)
    with file.open("wb") as f:
        for _ in range(mib):
            f.write(step)
    file.unlink()


def fill_memory(directory: Path) -> None:
    """Fills the memory with cached pages, as on a machine that has been up for long, by reading a file that is
    all hole; as long as the file is there they stay, until others need the room. For what writes over 1 GiB:
    warm_memory() does not help then, as a host may take back within seconds what stays free."""
    with (directory / "memory").open("wb+", buffering=0) as f:
        f.truncate(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        step = bytearray(1 << 20)
        while f.readinto(step):
            pass


def percentile(values: list[float], part: float) -> float:
    """The least value that `part` of them do not exceed."""
    return sorted(values)[max(0, -int(-part * len(values) // 1) - 1)]


def median(runs: list[dict]) -> dict:
    """Key by key; of what is no number the first."""
    out: dict = {}
    for key in runs[0]:
        values = [r[key] for r in runs if r.get(key) is not None]
        if values and isinstance(values[0], dict):
            out[key] = median([r[key] for r in runs])
        elif values and isinstance(values[0], (int, float)):
            out[key] = round(statistics.median(values), 4)
        else:
            out[key] = values[0] if values else None
    return out
