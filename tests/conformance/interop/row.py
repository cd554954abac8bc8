"""One line of the table: what one program found."""
from dataclasses import dataclass, field


@dataclass
class Row:
    program: str
    what: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    missing: str = ""            # why it could not be had
    faults: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)  # the names of the cases
