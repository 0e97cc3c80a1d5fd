"""Writes the documents as typed Parquet tables, which dbt reads as schema `documents`. Every table always, also when empty."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from obc_pipeline.documents.attendance_presets import codes_of
from obc_pipeline.documents.contract import Contract
from obc_pipeline.documents.loading import Documents, contract_hash

_TEXT, _DAY, _WHOLE, _TRUTH = pa.string(), pa.date32(), pa.int32(), pa.bool_()
_MONEY, _NUMBER, _SHARE = pa.decimal128(18, 2), pa.decimal128(18, 6), pa.decimal128(9, 6)

_VERSION: dict[str, pa.DataType] = {"contract_id": _TEXT, "version": _WHOLE}

SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "district": {"district_id": _TEXT, "district_name": _TEXT, "school_year_end": _WHOLE},
    "contract": {
        **_VERSION,
        "effective_from": _DAY,
        "effective_to": _DAY,
        "provider_id": _TEXT,
        "provider_name": _TEXT,
        "school_year_end": _WHOLE,
        "subject": _TEXT,
        "service_start_on": _DAY,
        "service_end_on": _DAY,
        "base_model": _TEXT,
        "base_rate_amount": _MONEY,
        "base_proration": _TEXT,
        "base_earning_min_sessions": _WHOLE,
        "required_sessions": _WHOLE,
        "required_minutes": _WHOLE,
        "target_students": _WHOLE,
        "max_students": _WHOLE,
        "nte_ceiling_amount": _MONEY,
        "contingent_pool_cap_amount": _MONEY,
        "per_student_cap_amount": _MONEY,
        "contingent_share_declared": _SHARE,
        "contingent_share_computed": _SHARE,
        "both_default_rule": _TEXT,
        "district_default_share": _SHARE,
        "district_default_scope": _TEXT,
        "data_submission_sla_hours": _WHOLE,
        "sessions_per_week": _WHOLE,
        "min_session_minutes": _WHOLE,
        "max_group_size": _WHOLE,
        "program_attendance_target_rate": _SHARE,
        "persistent_absence_misses": _WHOLE,
        "persistent_absence_rate": _SHARE,
        "persistent_absence_weeks": _WHOLE,
        "ci_meeting_max_gap_days": _WHOLE,
        "dispute_window_days": _WHOLE,
        "restatement_deadline_on": _DAY,
        "approver_roles": _TEXT,
        "dual_control_above_amount": _MONEY,
        "breaker_max_delta_share": _SHARE,
        "breaker_max_reversal_share": _SHARE,
        "source_document_uri": _TEXT,
        "content_hash": _TEXT,
    },
    "contract_approver": {**_VERSION, "name": _TEXT, "role": _TEXT},
    "contract_instalment": {**_VERSION, "instalment_number": _WHOLE, "paid_on": _DAY, "payment_type": _TEXT, "share": _SHARE},
    "contract_excluded_reason": {**_VERSION, "end_reason": _TEXT},
    "contract_school": {**_VERSION, "school_id": _TEXT},
    "contract_grade": {**_VERSION, "grade": _TEXT},
    "contract_window": {
        **_VERSION,
        "window_id": _TEXT,
        "opens_on": _DAY,
        "closes_on": _DAY,
        "data_due_on": _DAY,
        "late_baseline_until": _DAY,
    },
    "rate_card_line": {
        **_VERSION,
        "line_id": _TEXT,
        "outcome_name": _TEXT,
        "outcome_class": _TEXT,
        "instrument": _TEXT,
        "metric": _TEXT,
        "source_column": _TEXT,
        "baseline_window": _TEXT,
        "end_window": _TEXT,
        "data_due_on": _DAY,
        "comparator": _TEXT,
        "tier_mode": _TEXT,
        "price_unit": _TEXT,
        "dosage_unit": _TEXT,
        "dosage_min_rate_numerator": _WHOLE,
        "dosage_min_rate_denominator": _WHOLE,
        "dosage_denominator": _TEXT,
        "missing_test_rule": _TEXT,
        "retest_rule": _TEXT,
        "norms_reference": _TEXT,
        "rapid_guessing_max_share": _SHARE,
        "expected_rate_no_tutoring": _SHARE,
        "student_threshold": _NUMBER,
        "points_max": _WHOLE,
        "max_paid_outcomes": _WHOLE,
        "line_cap_amount": _MONEY,
        "requires_line": _TEXT,
        "excludes_line": _TEXT,
        "validator": _TEXT,
    },
    "rate_card_uplift": {**_VERSION, "line_id": _TEXT, "program": _TEXT, "multiplier": _NUMBER},
    "rate_card_tier": {**_VERSION, "line_id": _TEXT, "tier_number": _WHOLE, "kind": _TEXT, "threshold": _NUMBER, "price_amount": _MONEY},
    "obligation": {
        **_VERSION,
        "obligation_id": _TEXT,
        "party": _TEXT,
        "scope": _TEXT,
        "metric": _TEXT,
        "comparator": _TEXT,
        "value_numerator": _WHOLE,
        "value_denominator": _WHOLE,
        "measurement_window": _TEXT,
        "due_on": _DAY,
        "consequence": _TEXT,
        "cure_days": _WHOLE,
        "evidence_source": _TEXT,
    },
    "data_source": {
        "source": _TEXT,
        "format": _TEXT,
        "layout": _TEXT,
        "preset": _TEXT,
        "system": _TEXT,
        "provider_id": _TEXT,
        "subject": _TEXT,
        "student_id_is": _TEXT,
        "owner_role": _TEXT,
        "access_method": _TEXT,
        "frequency": _TEXT,
        "expected_delay_days": _WHOLE,
        "expected_delay_hours": _WHOLE,
        "is_attended_only": _TRUTH,
    },
    "data_map_row": {
        "row_id": _TEXT,
        "metric": _TEXT,
        "kind": _TEXT,
        "instrument": _TEXT,
        "measurement": _TEXT,
        "source": _TEXT,
        "system": _TEXT,
        "owner_role": _TEXT,
        "access_method": _TEXT,
        "frequency": _TEXT,
        "expected_delay_hours": _WHOLE,
        "accuracy_status": _TEXT,
        "suites": _TEXT,
    },
    "contract_source": {"contract_id": _TEXT, "source": _TEXT},
    "exit_ticket_item": {
        "source": _TEXT,
        "form_version": _TEXT,
        "item_code": _TEXT,
        "header": _TEXT,
        "construct": _TEXT,
        "scale_min": _WHOLE,
        "scale_max": _WHOLE,
        "is_reverse": _TRUTH,
        "is_free_text": _TRUTH,
    },
    "exit_ticket_label": {"source": _TEXT, "item_code": _TEXT, "label": _TEXT, "value": _WHOLE},
    "attendance_code": {
        "source": _TEXT,
        "code": _TEXT,
        "excuse": _TEXT,
        "status": _TEXT,
        "is_excused": _TRUTH,
        "absent_share": _SHARE,
    },
    "workgroup": {"workgroup_id": _TEXT, "name": _TEXT, "purpose": _TEXT, "cadence": _TEXT, "members": _TEXT, "audience": _TEXT},
    "improvement_setting": {
        "least_group_n": _WHOLE,
        "normal_group_n": _WHOLE,
        "history_years": _WHOLE,
        "balance_limit_sd": _NUMBER,
        "balance_fine_sd": _NUMBER,
        "association_min_pairs": _WHOLE,
        "response_rate_min": _SHARE,
        "action_window_weeks": _WHOLE,
        "trend_window_weeks": _WHOLE,
        "follow_up_misses": _WHOLE,
        "follow_up_rate": _SHARE,
        "follow_up_weeks": _WHOLE,
        "substitution_review_weeks": _WHOLE,
        "lag_weeks_max": _WHOLE,
        "scale_index_min": _NUMBER,
        "change_index_max": _NUMBER,
        "change_months": _WHOLE,
    },
}


def write_tables(documents: Documents, directory: Path) -> dict[str, Path]:
    """Writes each table of `SCHEMAS` to `directory/<table>.parquet` and returns the paths by table.

    The same documents give the same bytes: rows are ordered by all their columns, and a file is replaced in one step.
    """
    directory.mkdir(parents=True, exist_ok=True)
    return {name: _write(name, list(_ROWS[name](documents)), directory / f"{name}.parquet") for name in SCHEMAS}


def _write(name: str, rows: list[dict[str, Any]], path: Path) -> Path:
    columns = SCHEMAS[name]
    for row in rows:
        if row.keys() != columns.keys():
            raise ValueError(f"documents.{name} is written with other columns than it declares: {sorted(row.keys() ^ columns.keys())}")
    rows.sort(key=lambda row: [(value is not None, str(value)) for value in row.values()])
    table = pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items())))
    unfinished = path.with_name(f".{path.name}.unfinished")
    pq.write_table(table, unfinished, compression="zstd")
    os.replace(unfinished, path)
    return path


def _district(documents: Documents) -> Iterator[dict[str, Any]]:
    district = documents.district
    yield {"district_id": district.id, "district_name": district.name, "school_year_end": district.school_year_end}


def _of_contracts(rows_of: Callable[[Contract], Iterable[dict[str, Any]]]) -> Callable[[Documents], Iterator[dict[str, Any]]]:
    """Rows of every contract version, with its id and version in front."""

    def rows(documents: Documents) -> Iterator[dict[str, Any]]:
        for contract in documents.contracts:
            for row in rows_of(contract):
                yield {"contract_id": contract.contract_id, "version": contract.version, **row}

    return rows


# Columns of `contract` that a contract states under the same name.
_SAME_NAME = (
    "effective_from", "effective_to", "provider_id", "provider_name", "school_year_end", "subject", "base_model", "base_proration",
    "base_earning_min_sessions", "required_sessions", "required_minutes", "target_students", "max_students", "contingent_share_declared",
    "both_default_rule", "district_default_share", "district_default_scope", "data_submission_sla_hours", "sessions_per_week",
    "min_session_minutes", "max_group_size", "persistent_absence_misses", "persistent_absence_rate", "persistent_absence_weeks",
    "ci_meeting_max_gap_days", "dispute_window_days", "source_document_uri",
)  # fmt: skip


def _contract(contract: Contract) -> Iterator[dict[str, Any]]:
    yield {name: getattr(contract, name) for name in _SAME_NAME} | {
        "service_start_on": contract.service_start,
        "service_end_on": contract.service_end,
        "base_rate_amount": contract.base_rate,
        "nte_ceiling_amount": contract.nte_ceiling,
        "contingent_pool_cap_amount": contract.contingent_pool_cap,
        "per_student_cap_amount": contract.per_student_cap,
        "contingent_share_computed": _rounded(contract.contingent_share),
        "program_attendance_target_rate": contract.program_attendance_target,
        "restatement_deadline_on": contract.restatement_deadline,
        "approver_roles": ",".join(contract.roles_that_approve),
        "dual_control_above_amount": contract.dual_control_above,
        "breaker_max_delta_share": contract.breakers.max_delta_share,
        "breaker_max_reversal_share": contract.breakers.max_reversal_share,
        "content_hash": contract_hash(contract),
    }


def _rounded(share: Fraction | None) -> Decimal | None:
    """A share for showing, to six decimals."""
    if share is None:
        return None
    return (Decimal(share.numerator) / Decimal(share.denominator)).quantize(Decimal("0.000001"))


def _rate_card_lines(contract: Contract) -> Iterator[dict[str, Any]]:
    for line in contract.rate_card:
        same = (
            "line_id", "outcome_name", "outcome_class", "instrument", "metric", "baseline_window", "end_window", "data_due_on",
            "comparator", "tier_mode", "price_unit", "dosage_denominator", "missing_test_rule", "retest_rule", "norms_reference",
            "expected_rate_no_tutoring", "student_threshold", "points_max", "max_paid_outcomes", "requires_line", "excludes_line", "validator",
        )  # fmt: skip
        rate = contract.gate_rate(line)
        yield {name: getattr(line, name) for name in same} | {
            "source_column": line.export_column,
            "dosage_unit": line.dosage_gate.counts,
            "dosage_min_rate_numerator": rate[0] if rate else None,
            "dosage_min_rate_denominator": rate[1] if rate else None,
            "rapid_guessing_max_share": line.rapid_guessing_limit,
            "line_cap_amount": line.line_cap,
        }


def _uplifts(contract: Contract) -> Iterator[dict[str, Any]]:
    for line in contract.rate_card:
        for uplift in line.uplift:
            yield {"line_id": line.line_id, "program": uplift.program, "multiplier": uplift.multiplier}


def _approvers(contract: Contract) -> Iterator[dict[str, Any]]:
    for approver in contract.approvers:
        yield approver.model_dump()


def _instalments(contract: Contract) -> Iterator[dict[str, Any]]:
    """The payment schedule in order of its dates, numbered from 1 within each type."""
    numbers: dict[str, int] = {}
    for payment in sorted(contract.payment_schedule, key=lambda payment: (payment.type, payment.paid_on)):
        numbers[payment.type] = numbers.get(payment.type, 0) + 1
        yield {
            "instalment_number": numbers[payment.type],
            "paid_on": payment.paid_on,
            "payment_type": payment.type,
            "share": payment.share,
        }


def _tiers(contract: Contract) -> Iterator[dict[str, Any]]:
    """Tiers are numbered from the lowest threshold, 1; a penalty has the number 0."""
    for line in contract.rate_card:
        priced = [("TIER", number, tier.threshold, tier.price) for number, tier in enumerate(line.tiers, start=1)]
        if line.penalty is not None:
            priced.append(("PENALTY", 0, line.penalty.threshold, line.penalty.price))
        for kind, number, threshold, price in priced:
            yield {"line_id": line.line_id, "tier_number": number, "kind": kind, "threshold": threshold, "price_amount": price}


def _obligations(contract: Contract) -> Iterator[dict[str, Any]]:
    same = (
        "obligation_id",
        "party",
        "scope",
        "metric",
        "comparator",
        "measurement_window",
        "due_on",
        "consequence",
        "cure_days",
        "evidence_source",
    )
    for obligation in contract.obligations:
        numerator, denominator = obligation.value
        yield {name: getattr(obligation, name) for name in same} | {"value_numerator": numerator, "value_denominator": denominator}


def _windows(contract: Contract) -> Iterator[dict[str, Any]]:
    for window in contract.windows:
        yield window.model_dump()


def _data_sources(documents: Documents) -> Iterator[dict[str, Any]]:
    same = ("format", "layout", "preset", "system", "provider_id", "subject", "owner_role", "access_method", "frequency")
    for name, source in documents.sources.items():
        yield (
            {"source": name}
            | {field: getattr(source, field) for field in same}
            | {
                "student_id_is": source.student_id_is.upper() if source.student_id_is else None,
                "expected_delay_days": source.delay_days,
                "expected_delay_hours": source.delay_hours,
                "is_attended_only": source.reports_attended_only,
            }
        )


def _data_map_rows(documents: Documents) -> Iterator[dict[str, Any]]:
    """One row per data-map row and source: a metric that comes from two sources is watched on both."""
    same = ("row_id", "metric", "kind", "instrument", "measurement", "accuracy_status")
    for row in documents.data_map_rows:
        for name in row.source_names:
            source = documents.sources[name]
            yield {field: getattr(row, field) for field in same} | {
                "source": name,
                "system": row.system or source.system,
                "owner_role": row.owner_role or source.owner_role,
                "access_method": row.access_method or source.access_method,
                "frequency": row.frequency or source.frequency,
                "expected_delay_hours": row.delay_hours(source),
                "suites": ",".join(row.checks),
            }


def _contract_sources(documents: Documents) -> Iterator[dict[str, Any]]:
    """Over all versions of a contract: a source that any of them consumes concerns the contract."""
    pairs = {(contract.contract_id, source) for contract in documents.contracts for source in documents.contract_sources(contract)}
    for contract_id, source in sorted(pairs):
        yield {"contract_id": contract_id, "source": source}


def _exit_ticket_items(documents: Documents) -> Iterator[dict[str, Any]]:
    same = ("item_code", "header", "scale_min", "scale_max", "is_reverse", "is_free_text")
    for name, source in documents.sources.items():
        for item in source.items:
            fields = {field: getattr(item, field) for field in same}
            yield {"source": name, "form_version": source.form_version, "construct": item.asks_about} | fields


def _exit_ticket_labels(documents: Documents) -> Iterator[dict[str, Any]]:
    for name, source in documents.sources.items():
        for item in source.items:
            for label, value in item.labels.items():
                yield {"source": name, "item_code": item.item_code, "label": label, "value": value}


def _attendance_codes(documents: Documents) -> Iterator[dict[str, Any]]:
    for name, source in documents.sources.items():
        for code in codes_of(source):
            yield {
                "source": name,
                "code": code.code,
                "excuse": code.excuse,
                "status": code.status,
                "is_excused": code.is_excused,
                "absent_share": code.share_absent,
            }


def _workgroups(documents: Documents) -> Iterator[dict[str, Any]]:
    for workgroup in documents.workgroups:
        same = {field: getattr(workgroup, field) for field in ("workgroup_id", "name", "purpose", "cadence", "audience")}
        yield same | {"members": ",".join(workgroup.members)}


def _improvement_settings(documents: Documents) -> Iterator[dict[str, Any]]:
    yield documents.improvement.model_dump()


_ROWS: dict[str, Callable[[Documents], Iterable[dict[str, Any]]]] = {
    "district": _district,
    "contract": _of_contracts(_contract),
    "contract_approver": _of_contracts(_approvers),
    "contract_instalment": _of_contracts(_instalments),
    "contract_excluded_reason": _of_contracts(lambda contract: ({"end_reason": reason} for reason in contract.excluded_reasons)),
    "contract_school": _of_contracts(lambda contract: ({"school_id": school} for school in contract.schools)),
    "contract_grade": _of_contracts(lambda contract: ({"grade": grade} for grade in contract.grades)),
    "contract_window": _of_contracts(_windows),
    "rate_card_line": _of_contracts(_rate_card_lines),
    "rate_card_uplift": _of_contracts(_uplifts),
    "rate_card_tier": _of_contracts(_tiers),
    "obligation": _of_contracts(_obligations),
    "data_source": _data_sources,
    "data_map_row": _data_map_rows,
    "contract_source": _contract_sources,
    "exit_ticket_item": _exit_ticket_items,
    "exit_ticket_label": _exit_ticket_labels,
    "attendance_code": _attendance_codes,
    "workgroup": _workgroups,
    "improvement_setting": _improvement_settings,
}
