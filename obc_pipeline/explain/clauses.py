"""Where in `contracts/*.yml` a rule is written: file, line and the words that stand there."""

from __future__ import annotations

from dataclasses import dataclass

from obc_pipeline.documents.contract import Contract
from obc_pipeline.documents.reading import read_document
from obc_pipeline.documents.yaml_text import Node
from obc_pipeline.home import Home

_BASE = ("base_model", "base_rate", "base_proration", "base_earning_min_sessions", "required_sessions", "required_minutes")
_CAPS = ("nte_ceiling", "contingent_pool_cap", "per_student_cap")
_TERMS = ("excluded_reasons", "both_default_rule", "district_default_share", "district_default_scope", "restatement_deadline")
_OF_LINE = (
    "tiers", "penalty", "dosage_gate", "dosage_denominator", "missing_test_rule", "retest_rule", "norms_reference",
    "rapid_guessing_max_share", "uplift", "price_unit", "student_threshold", "points_max", "requires_line", "excludes_line", "max_paid_outcomes", "line_cap",
)  # fmt: skip


@dataclass(frozen=True)
class Clause:
    """One term of a contract version. file: relative to the home. line: 1-based. words: the line as written."""

    term: str
    file: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.words}"


def clauses(home: Home, contract_id: str, version: int, line_id: str | None) -> dict[str, Clause]:
    """Every term of the version that can decide a line's amount, by name; `line` is the rate-card line, `tiers.2` its second tier.

    line_id None: the base payment. Empty when no contract file holds that version any more.
    """
    for path in sorted(home.contracts.glob("*.y*ml")) if home.contracts.is_dir() else ():
        name = f"contracts/{path.name}"
        reading = read_document(path, name, Contract)
        if reading.model and reading.root and (reading.model.contract_id, reading.model.version) == (contract_id, version):
            written = path.read_text(encoding="utf-8-sig").splitlines()
            return {
                term: Clause(term, name, line, written[line - 1].strip() if 0 < line <= len(written) else "")
                for term, line in _lines(reading.root, reading.model, line_id).items()
            }
    return {}


def _lines(root: Node, contract: Contract, line_id: str | None) -> dict[str, int]:
    found: dict[str, int] = {}

    def note(term: str, *path: str | int) -> None:
        node: Node | None = root
        for step in path:
            node = node.child(step) if node else None
        if node is not None:
            found[term] = root.place(path, of_key=True)[0]

    for term in (
        *_TERMS,
        *_CAPS,
        "windows",
        *(_BASE if line_id is None else ("required_sessions", "required_minutes", "min_session_minutes", "max_group_size")),
    ):
        note(term, term)
    for index, obligation in enumerate(contract.obligations):
        note(f"obligation.{obligation.obligation_id}", "obligations", index)
    for index, line in enumerate(contract.rate_card):
        if line.line_id != line_id:
            continue
        note("line", "rate_card", index)
        for term in _OF_LINE:
            note(term, "rate_card", index, term)
        for number in range(len(line.tiers)):
            note(f"tiers.{number + 1}", "rate_card", index, "tiers", number)
    return found
