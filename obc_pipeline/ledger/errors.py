"""Why a posting did not happen: one named error per reason, with the exit code of `obc`. None of them has written anything."""

from __future__ import annotations

from typing import ClassVar


class LedgerError(RuntimeError):
    """Base of all refusals. `exit_code`: 2 = an argument or a document is wrong, 3 = held back by a check."""

    exit_code: ClassVar[int] = 3


class NoSuchContract(LedgerError):
    """No document and no ledger names this contract."""

    exit_code = 2


class NoFinishedRun(LedgerError):
    """There is no finished run whose proposals could be looked at."""

    exit_code = 2


class NotAnApprover(LedgerError):
    """The contract does not let this person approve."""

    exit_code = 2


class RunIsOld(LedgerError):
    """The documents, the archive, the code or the ledger changed after the last run."""


class ContractBlocked(LedgerError):
    """A check blocks the contract."""


class NotApproved(LedgerError):
    """Nobody, or too few people, approved exactly these proposals."""


class ProposalsChanged(NotApproved):
    """What was approved is no longer what is proposed."""


class BreakerTripped(LedgerError):
    """The statement changes more of what was posted than the contract lets pass without a word."""


class LedgerDamaged(LedgerError):
    """The ledger's files are not what was posted."""


class ProposalsInconsistent(LedgerError):
    """The proposals do not fit the ledger they were computed from: a defect of the pipeline."""


class NoSuchStatement(LedgerError):
    """The ledger has no statement of this number."""

    exit_code = 2
