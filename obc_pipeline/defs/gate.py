"""ledger: per contract, what is proposed, who approved it, and the posting: the one place where a run cannot go on without a person.

`ledger/<contract>_proposal` is looked at by every run. `ledger/<contract>_approval` is given by people (`obc approve`), never by a run.
`ledger/<contract>_posting` is in no job, schedule or sensor: a person materialises it, or uses `obc post`; it refuses what is not approved.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.documents import Documents, load
from obc_pipeline.errors import HomeBusy
from obc_pipeline.fingerprint import documents_digest
from obc_pipeline.home import Home
from obc_pipeline.ledger import ContractLedger, LedgerError, Posted, post
from obc_pipeline.ledger.approval import approval_hash
from obc_pipeline.ledger.entry import dollars
from obc_pipeline.ledger.gate import Gate, GateState, look_at_gate


class Ledger(dg.ConfigurableResource):
    """The district's ledger. Unlike `district` it leaves the finished run as it is: proposals are of a finished run."""

    home: str

    @property
    def place(self) -> Home:
        return Home(self.home)


def contract_ids(documents: Documents) -> list[str]:
    """Every contract of the documents, by id."""
    return sorted({contract.contract_id for contract in documents.contracts})


def proposal_asset(documents: Documents) -> dg.AssetsDefinition:
    """One step looks at what the run proposes for every contract, and at how far it is approved."""
    contracts = contract_ids(documents)
    specs = [
        dg.AssetSpec(
            naming.proposal_key(contract_id),
            deps=[naming.PUBLISHED, naming.PROPOSED_ENTRY, naming.LATE_CHANGE_REGISTER, naming.MART_VERDICT],
            group_name="ledger",
            description=(
                f"What would be posted next for {contract_id}: the differences between what is owed and what is posted, under one hash. "
                f"`obc statement {contract_id}` shows it."
            ),
            owners=[naming.TRANSFORMATION_OWNER],
            kinds={"duckdb"},
        )
        for contract_id in contracts
    ]
    checks = [
        dg.AssetCheckSpec(
            naming.GATE_CHECK,
            asset=naming.approval_key(contract_id),
            description=(
                "Whether exactly what is proposed now is approved by the people the contract names. AWAITING APPROVAL, APPROVED, "
                "CHANGED SINCE APPROVAL, BLOCKED (a check stops the contract, or its ledger is damaged), NOT CURRENT (something changed after "
                "the last run) or NOTHING PROPOSED. It stops the posting and nothing else."
            ),
        )
        for contract_id in contracts
    ]

    @dg.multi_asset(
        name="propose",
        specs=specs,
        check_specs=checks,
        allow_arbitrary_check_specs=True,  # the check belongs to the approval, which people give
        can_subset=True,
        pool=naming.POOL,
    )
    def propose(context: dg.AssetExecutionContext, ledger: Ledger) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        for contract_id in contracts:
            gate = look_at_gate(ledger.place, contract_id)
            if naming.proposal_key(contract_id) in context.selected_asset_keys:
                yield dg.MaterializeResult(naming.proposal_key(contract_id), metadata=_gate_metadata(gate))
            check_key = dg.AssetCheckKey(naming.approval_key(contract_id), naming.GATE_CHECK)
            if check_key in context.selected_asset_check_keys:
                yield dg.AssetCheckResult(asset_key=check_key.asset_key, check_name=check_key.name, **_judgement(gate))
            else:  # the proposal was launched alone; what it says of its gate belongs to it all the same
                _report(context.instance, ledger.place, contract_id)

    return propose


def approval_specs(documents: Documents) -> list[dg.AssetSpec]:
    """The approvals as external assets: people give them, the pipeline only sees them."""
    return [
        dg.AssetSpec(
            naming.approval_key(contract_id),
            deps=[naming.proposal_key(contract_id)],
            group_name="ledger",
            description=(
                f"A person named in the contract says yes to exactly what is proposed: `obc approve {contract_id} --by NAME`. "
                f"May approve: {_approvers(documents, contract_id)}. If the proposal changes, the approval no longer counts."
            ),
            owners=[naming.CONTRACT_OWNER],
            kinds={"json"},
        )
        for contract_id in contract_ids(documents)
    ]


def posting_asset(contract_id: str) -> dg.AssetsDefinition:
    """Appends the approved entries of one contract to its ledger. Launched by a person, never by a schedule, a sensor or a condition."""
    spec = dg.AssetSpec(
        naming.posting_key(contract_id),
        deps=[naming.approval_key(contract_id)],
        group_name="ledger",
        description=(
            f"The last statement posted for {contract_id}. *Materialize* does what `obc post {contract_id}` does: it appends the approved "
            "entries, refuses what is not approved or has changed since, and posts nothing a second time. No schedule, no sensor and no "
            "job of this code location ever does it. The next run reads it back as `ledger/entry`."
        ),
        owners=[naming.CONTRACT_OWNER],
        kinds={"parquet"},
        skippable=True,  # nothing to post is no posting
    )

    @dg.multi_asset(name=f"post__{naming.safe_contract(contract_id)}", specs=[spec], pool=naming.POOL)
    def posting(context: dg.AssetExecutionContext, ledger: Ledger) -> Iterator[dg.MaterializeResult]:
        try:
            posted = post(ledger.place, contract_id)
        except (LedgerError, HomeBusy) as refusal:
            _report(context.instance, ledger.place, contract_id)
            raise dg.Failure(f"Nothing was posted. {refusal}", metadata={"refused": type(refusal).__name__}, allow_retries=False) from None
        if posted.path is None:
            context.log.info(f"nothing to post for {contract_id}; nothing was changed")
        else:
            yield dg.MaterializeResult(spec.key, metadata=_posted_metadata(posted))
        _report(context.instance, ledger.place, contract_id, is_posting_reported=True)

    return posting


def approvals_sensor(documents: Documents, home: Home) -> dg.SensorDefinition:
    """Shows approvals and postings made by command, a minute after at most. It starts no run and writes nothing in the home."""
    contracts = contract_ids(documents)

    @dg.sensor(
        name="approvals",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Looks at ledger/ when an approval or a posting appears there, and shows where each contract stands. It posts nothing.",
    )
    def approvals(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        seen = _listing(home)
        if seen == context.cursor:
            return dg.SkipReason("ledger, documents and last run are as they were seen last")
        events: list[Any] = []
        try:
            now = load(home)
            for contract_id in contracts:
                gate = look_at_gate(home, contract_id, now)
                events += _events(context.instance, home, gate)
        except HomeBusy:
            return dg.SkipReason("a run is going on; it will show the gates itself")
        return dg.SensorResult(asset_events=events, cursor=seen)

    return approvals


def _events(
    instance: dg.DagsterInstance, home: Home, gate: Gate, *, is_posting_reported: bool = False
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """What Dagster does not know yet: a new approval, a new posting, and where the contract stands now."""
    if gate.approvals and gate.proposal:
        key, digest = naming.approval_key(gate.contract_id), approval_hash(home, gate.contract_id, gate.proposal.proposal_hash)
        if _last(instance, key, "approval hash") != digest:
            last = gate.approvals[-1]
            yield dg.AssetMaterialization(
                key,
                metadata={
                    "approved by": "; ".join(f"{given.by} ({given.role})" for given in gate.approvals),
                    "at": last.at,
                    "statement": last.statement_number,
                    "entries": last.entries,
                    "amount": last.amount,
                    "proposal hash": last.proposal_hash,
                    "approval hash": digest,
                },
            )
    if gate.ledger.statements and not gate.ledger.damages and not is_posting_reported:
        key = naming.posting_key(gate.contract_id)
        if _last(instance, key, "head hash") != gate.ledger.head_hash:
            yield dg.AssetMaterialization(key, metadata=_ledger_metadata(gate.ledger) | {"posted with": "obc post"})
    yield dg.AssetCheckEvaluation(asset_key=naming.approval_key(gate.contract_id), check_name=naming.GATE_CHECK, **_judgement(gate))


def _report(instance: dg.DagsterInstance, home: Home, contract_id: str, *, is_posting_reported: bool = False) -> None:
    """The same from inside a posting, at once. Says nothing while another process holds the home."""
    try:
        gate = look_at_gate(home, contract_id)
    except HomeBusy:
        return
    for event in _events(instance, home, gate, is_posting_reported=is_posting_reported):
        instance.report_runless_asset_event(event)


def _last(instance: dg.DagsterInstance, key: dg.AssetKey, name: str) -> object:
    """A metadata value of the asset's latest materialisation; None when there is none."""
    event = instance.get_latest_materialization_event(key)
    stated = event.asset_materialization.metadata.get(name) if event and event.asset_materialization else None
    return stated.value if stated else None


def _judgement(gate: Gate) -> dict[str, Any]:
    is_wrong = gate.state in (GateState.BLOCKED, GateState.CHANGED_SINCE_APPROVAL)
    return {
        "passed": gate.is_open,
        "severity": dg.AssetCheckSeverity.ERROR if is_wrong else dg.AssetCheckSeverity.WARN,
        "description": str(gate),
        "metadata": _gate_metadata(gate) | {"state": str(gate.state)},
    }


def _gate_metadata(gate: Gate) -> dict[str, Any]:
    """Counts, amounts and hashes. No student, no line."""
    ledger: dict[str, Any] = {"posted so far": _text(gate.ledger.posted_cents), "ledger entries": gate.ledger.entry_count}
    if gate.proposal is None:
        return ledger | {"head hash": gate.ledger.head_hash}
    proposal = gate.proposal
    return {
        "statement": proposal.statement_number,
        "entries": len(proposal.entries),
        "amount": _text(proposal.amount_cents),
        "paid": _text(proposal.paid_cents),
        "taken back": _text(proposal.taken_back_cents),
        "late changes": len(proposal.late_changes),
        "proposal hash": proposal.proposal_hash,
        "run id": proposal.run.run_id,
        "as of": proposal.run.as_of_date.isoformat(),
        **ledger,
        "head hash": gate.ledger.head_hash,
    }


def _posted_metadata(posted: Posted) -> dict[str, Any]:
    before = posted.proposal.ledger.posted_cents
    return {
        "statement": posted.proposal.statement_number,
        "entries": len(posted.entries),
        "amount": _text(posted.proposal.amount_cents),
        "approved by": posted.entries[0].approved_by,
        "posted so far": _text(before + posted.proposal.amount_cents),
        "ledger entries": posted.entry_count,
        "head hash": posted.head_hash,
        "posted with": "Dagster",
    }


def _ledger_metadata(ledger: ContractLedger) -> dict[str, Any]:
    last = ledger.statements[-1]
    return {
        "statement": last.number,
        "entries": len(last.entries),
        "amount": _text(last.amount_cents),
        "approved by": last.entries[0].approved_by,
        "posted so far": _text(ledger.posted_cents),
        "ledger entries": ledger.entry_count,
        "head hash": ledger.head_hash,
    }


def _approvers(documents: Documents, contract_id: str) -> str:
    contract = [one for one in documents.contracts if one.contract_id == contract_id][-1]
    people = ", ".join(f"{one.name} ({one.role})" for one in contract.approvers) or "nobody yet; the contract has no `approvers`"
    limit = contract.dual_control_above
    return people + (f"; two of them where more than {limit:,} dollars move" if limit is not None else "")


def _listing(home: Home) -> str:
    """Changes with every approval, every posting, every finished run and every change of a document."""
    files = sorted((path.relative_to(home.ledger).as_posix(), path.stat().st_size) for path in home.ledger.glob("*/**/*") if path.is_file())
    finished = home.run_state.stat().st_mtime_ns if home.run_state.exists() else 0
    return hashlib.sha256(repr((files, finished, documents_digest(home))).encode()).hexdigest()


def _text(whole_cents: int) -> str:
    return str(dollars(whole_cents))


__all__ = ["Ledger", "approval_specs", "approvals_sensor", "contract_ids", "posting_asset", "proposal_asset"]
