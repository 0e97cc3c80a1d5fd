"""Reads one contract's ledger and judges it: every file, every entry, every link. Reading and verifying are the same act."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, unquote

from obc_pipeline.home import Home
from obc_pipeline.ledger import statement_file
from obc_pipeline.ledger.entry import GENESIS, Entry, cents, entry_hash
from obc_pipeline.ledger.errors import LedgerDamaged
from obc_pipeline.ledger.settlement import SETTLEMENTS, why_not_intact
from obc_pipeline.ledger.statement_file import FileNotOurs, StatementName
from obc_pipeline.ledger.write_once import PARTIAL_SUFFIX

APPROVALS = "approvals"
EVIDENCE = "_evidence"


@dataclass(frozen=True)
class Damage:
    """Something in the ledger that is not as it was posted.

    file: relative to the ledger folder. entry_seq: the entry concerned; None when the file as a whole is.
    """

    file: str
    entry_seq: int | None
    message: str

    def __str__(self) -> str:
        where = self.file if self.entry_seq is None else f"{self.file}, entry {self.entry_seq}"
        return f"{where}: {self.message}"


@dataclass(frozen=True)
class Statement:
    """One posting: its number, its file, its entries."""

    number: int
    path: Path
    entries: tuple[Entry, ...]

    @property
    def head_hash(self) -> str:
        return self.entries[-1].entry_hash

    @property
    def amount_cents(self) -> int:
        return sum(cents(entry.amount) for entry in self.entries)

    @property
    def settlement_hash(self) -> str:
        return self.entries[0].settlement_hash


@dataclass(frozen=True)
class ContractLedger:
    """What was posted for one contract, in order.

    statements: those proven intact, up to the first damage. damages: empty when everything is as it was posted.
    """

    contract_id: str
    statements: tuple[Statement, ...] = ()
    damages: tuple[Damage, ...] = ()

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for statement in self.statements for entry in statement.entries)

    @property
    def head_hash(self) -> str:
        """Hash of the last entry; 64 zeros when nothing is posted. With the entry count it stands for the whole ledger."""
        return statement_file.head_of(self.entries)

    @property
    def entry_count(self) -> int:
        return len(self.entries)

    @cached_property
    def balances(self) -> dict[str, int]:
        """line_key -> posted so far, in cents; lines that came back to zero included."""
        posted: dict[str, int] = {}
        for entry in self.entries:
            posted[entry.line_key] = posted.get(entry.line_key, 0) + cents(entry.amount)
        return posted

    @cached_property
    def last_entries(self) -> dict[str, Entry]:
        """line_key -> its last entry."""
        return {entry.line_key: entry for entry in self.entries}

    @property
    def posted_cents(self) -> int:
        return sum(self.balances.values())

    def before(self, statement_number: int) -> ContractLedger:
        """The ledger as it was before that statement was posted."""
        return ContractLedger(self.contract_id, tuple(s for s in self.statements if s.number < statement_number), self.damages)


def contract_folder(home: Home, contract_id: str) -> Path:
    """`ledger/<contract_id>`; what is not plain in a file name is percent-encoded."""
    name = quote(contract_id, safe=" ()+,=@")
    return home.ledger / (f"%{ord(name[0]):02X}{name[1:]}" if name[0] in "._ " else name)


def contracts_with_ledger(home: Home) -> list[str]:
    """Every contract that has a folder in the ledger, by id."""
    if not home.ledger.is_dir():
        return []
    return sorted(unquote(path.name) for path in home.ledger.iterdir() if is_contract_folder(home, path))


def is_contract_folder(home: Home, path: Path) -> bool:
    """Whether it is the one folder of a contract: another spelling of the same id would be a second ledger of it."""
    return path.is_dir() and path.name[0] not in "._" and contract_folder(home, unquote(path.name)).name == path.name


def read_ledger(home: Home, contract_id: str) -> ContractLedger:
    """The contract's ledger, proven intact. Raises LedgerDamaged, naming file and entry."""
    ledger = inspect_ledger(home, contract_id)
    for first in ledger.damages:
        more = f" (and {len(ledger.damages) - 1} more)" if len(ledger.damages) > 1 else ""
        raise LedgerDamaged(
            f"the ledger of {contract_id} is not as it was posted: {first}{more}. Nothing is posted on it; "
            "restore the files from a backup and check them with `obc verify --head` against the last printed statement"
        )
    return ledger


def inspect_ledger(home: Home, contract_id: str) -> ContractLedger:
    """The contract's ledger with everything that is wrong with it. Never raises for what the files hold."""
    inspection = _Inspection(home, contract_id)
    for name, path in inspection.statement_files():
        inspection.take(name, path)
    return ContractLedger(contract_id, tuple(inspection.statements), tuple(inspection.damages))


@dataclass
class _Inspection:
    """Walks the files in order, knowing what the next entry must look like.

    seq: number of the last entry, None after a file that could not be read. lines: line_key -> hash of its last entry.
    """

    home: Home
    contract_id: str
    statements: list[Statement] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    number: int = 0
    head: str = GENESIS
    seq: int | None = 0
    lines: dict[str, str] = field(default_factory=dict)

    def statement_files(self) -> list[tuple[StatementName, Path]]:
        """The statement files by number; whatever else lies in the folder is a damage."""
        folder = contract_folder(self.home, self.contract_id)
        if folder.is_symlink():
            self._damage(folder, None, "the contract's folder was replaced by a link to somewhere else")
            return []
        files = []
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            name = StatementName.of(path.name)
            if name and path.is_file() and not path.is_symlink():
                files.append((name, path))
            elif not _is_expected(path):
                self._damage(path, None, "does not belong here: it was put in, or its name was changed")
        return sorted(files, key=lambda file: (file[0].number, file[0].head_hash))

    def take(self, name: StatementName, path: Path) -> None:
        if name.number == self.number:
            self._damage(path, None, f"there is a second file for statement {name.number}: one of them was put in")
            return
        is_following = name.number == self.number + 1
        for missing in range(self.number + 1, name.number):
            self._damage(path.parent / f"{missing:06d}_….parquet", None, f"statement {missing} is missing: its file was removed")
        before = len(self.damages)
        entries = self._read(name, path)
        if entries:
            self._check(name, path, entries, knows_lines=is_following and self.seq is not None and before == 0)
            self._check_settlement(path, entries)
        if entries and not self.damages:
            self.statements.append(Statement(name.number, path, tuple(entries)))
        self.number, self.head, self.seq = name.number, name.head_hash, entries[-1].entry_seq if entries else None

    def _read(self, name: StatementName, path: Path) -> list[Entry]:
        try:
            entries = statement_file.read(path)
        except FileNotOurs as error:
            self._damage(path, None, str(error))
            return []
        except OSError as error:
            self._damage(path, None, f"it cannot be read ({error.strerror})")
            return []
        if not entries:
            self._damage(path, None, "it holds no entry")
        return entries

    def _check(self, name: StatementName, path: Path, entries: Sequence[Entry], *, knows_lines: bool) -> None:
        lines_here: set[str] = set()
        for entry in entries:
            for message in self._wrong(name, entry):
                self._damage(path, entry.entry_seq, message)
            if entry.line_key in lines_here:
                self._damage(path, entry.entry_seq, "its line is posted twice in one statement")
            elif knows_lines and entry.adjusts_entry_hash != self.lines.get(entry.line_key):
                self._damage(path, entry.entry_seq, "it does not name the last entry of its own line")
            lines_here.add(entry.line_key)
            self.lines[entry.line_key] = entry.entry_hash
            self.head, self.seq = entry.entry_hash, entry.entry_seq
        if self.head != name.head_hash:
            self._damage(path, None, "its name is not that of its last entry: it was renamed, or entries were cut off")

    def _check_settlement(self, path: Path, entries: Sequence[Entry]) -> None:
        """dbt and every reprint read it, so it is proven whenever the ledger is read."""
        digest = entries[0].settlement_hash
        wrong = why_not_intact(self.home, digest)
        if wrong:
            self._damage(self.home.ledger / SETTLEMENTS / f"{digest}.parquet", None, f"{wrong} ({path.name})")

    def _wrong(self, name: StatementName, entry: Entry) -> Iterator[str]:
        if entry_hash(entry.as_row()) != entry.entry_hash:
            yield "what it says was changed: its hash does not match"
        if entry.prev_hash != self.head:
            yield "it does not follow the entry before it: something was removed, inserted or reordered"
        if self.seq is not None and entry.entry_seq != self.seq + 1:
            yield f"it stands where entry {self.seq + 1} should"
        if entry.contract_id != self.contract_id:
            yield "it belongs to another contract"
        if entry.statement_number != name.number:
            yield f"it belongs to statement {entry.statement_number}, not to {name.number}"

    def _damage(self, path: Path, entry_seq: int | None, message: str) -> None:
        self.damages.append(Damage(path.relative_to(self.home.ledger).as_posix(), entry_seq, message))


def _is_expected(path: Path) -> bool:
    """The folder of approvals, and what a killed writer left behind, which nobody reads."""
    is_partial = path.name.startswith(".") and path.name.endswith(PARTIAL_SUFFIX) and path.is_file()
    return is_partial or (path.name == APPROVALS and path.is_dir() and not path.is_symlink())
