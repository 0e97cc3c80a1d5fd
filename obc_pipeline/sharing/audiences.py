"""Who gets what: the audiences of a district, derived from its workgroups and contracts, and on what ground each may be given records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from urllib.parse import quote

from obc_pipeline.documents import Contract, Documents
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.sharing.errors import UnknownAudience

Kind = Literal["district", "vendor", "school", "public"]
LegalBasis = Literal["SCHOOL_OFFICIAL", "STUDIES", "AUDIT_EVALUATION", "CONSENT", "DE_IDENTIFIED"]
DISTRICT, PUBLIC = "district", "public"

# 34 CFR 99.32(d): disclosures to school officials and with written consent need no record; under the other exceptions they do.
RECORDABLE_BASES: frozenset[LegalBasis] = frozenset({"STUDIES", "AUDIT_EVALUATION"})


_STRICTEST_FIRST: tuple[LegalBasis, ...] = ("CONSENT", "STUDIES", "AUDIT_EVALUATION", "SCHOOL_OFFICIAL")


@dataclass(frozen=True)
class Audience:
    """One recipient of a published folder.

    audience_id:  `district`, `vendor-<provider id>`, `school-<school id>` or `public`; the name of its folder.
    subject_id:   provider id or school id; empty for the district and the public.
    contracts:    contracts whose rows it may get by provider; empty for the others.
    destroy_by:   the earliest day by which what it was given must be gone; None when no agreement says so.
    """

    audience_id: str
    kind: Kind
    subject_id: str
    name: str
    workgroups: tuple[str, ...]
    contracts: tuple[str, ...]
    purpose: str
    legal_basis: LegalBasis
    destroy_by: Mapping[str, date]

    @property
    def folder(self) -> str:
        """Its folder's name: one path component, whatever an id contains."""
        return self.audience_id if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.audience_id) else quote(self.audience_id, safe="-_")

    @property
    def needs_secret(self) -> bool:
        """Whether its students are known by a key that its own secret makes. A school knows its students by their local ids."""
        return self.kind == "vendor"

    @property
    def needs_release(self) -> bool:
        return self.kind != "district"

    @property
    def is_ferpa_recordable(self) -> bool:
        return self.legal_basis in RECORDABLE_BASES

    def ended(self, today: date) -> tuple[str, ...]:
        """Contracts whose records must be destroyed by a day that has passed."""
        return tuple(contract_id for contract_id, day in sorted(self.destroy_by.items()) if day < today)

    def is_over(self, today: date) -> bool:
        """Whether nothing may be kept any more: every contract's day has passed."""
        return bool(self.contracts) and len(self.ended(today)) == len(self.contracts)


def audiences_of(documents: Documents, schools: Mapping[str, str]) -> list[Audience]:
    """Every audience: the district, and each that a workgroup's `audience` or `publish.audiences` of obc.yml names.

    schools: id -> name of every school with a contracted student; `audience: school` means each of them.
    """
    found = [_district(documents)]
    found += [_vendor(documents, provider) for provider in _providers(documents) if _asks(documents, "vendor", provider)]
    named = {audience.removeprefix("school-") for audience in _named(documents) if audience.startswith("school-")}
    found += [
        _school(documents, school, schools.get(school, school))
        for school in sorted({*schools, *named})
        if school in named or "school" in _named(documents)
    ]
    if PUBLIC in _named(documents):
        found.append(_public(documents))
    return found


def find_audience(audiences: Iterable[Audience], audience_id: str) -> Audience:
    """The audience of that id. Raises UnknownAudience, saying which there are."""
    known = {audience.audience_id: audience for audience in audiences}
    if audience_id not in known:
        raise UnknownAudience(
            f"there is no audience {audience_id!r}; right would be {did_you_mean(audience_id, known)} "
            "An audience is there when a workgroup of ci_structure.yml, or publish.audiences of obc.yml, names it"
        )
    return known[audience_id]


def contracts_of(documents: Documents, provider_id: str) -> dict[str, Contract]:
    """The last version of each contract with the provider, by id."""
    return {contract.contract_id: contract for contract in documents.contracts if contract.provider_id == provider_id}


def _providers(documents: Documents) -> list[str]:
    return sorted({contract.provider_id for contract in documents.contracts})


def _named(documents: Documents) -> set[str]:
    return {group.audience for group in documents.workgroups} | set(documents.obc.publish.audiences)


def _asks(documents: Documents, kind: str, subject_id: str) -> bool:
    return bool({kind, f"{kind}-{subject_id}"} & _named(documents))


def _workgroups(documents: Documents, *names: str) -> tuple[str, ...]:
    return tuple(group.workgroup_id for group in documents.workgroups if group.audience in names)


def _district(documents: Documents) -> Audience:
    return Audience(
        DISTRICT, "district", "", documents.district.name, _workgroups(documents, DISTRICT), (),
        "The district's own use of its records", "SCHOOL_OFFICIAL", {},
    )  # fmt: skip


def _vendor(documents: Documents, provider_id: str) -> Audience:
    contracts = contracts_of(documents, provider_id)
    agreements = [contract.data_agreement for contract in contracts.values()]
    # Records under several agreements go out together, so the strictest ground of them counts for all.
    bases: list[LegalBasis] = [agreement.legal_basis for agreement in agreements]
    strictest: LegalBasis = next(basis for basis in _STRICTEST_FIRST if basis in bases)
    return Audience(
        audience_id=f"vendor-{provider_id}",
        kind="vendor",
        subject_id=provider_id,
        name=next(iter(contracts.values())).provider_name,
        workgroups=_workgroups(documents, "vendor", f"vendor-{provider_id}"),
        contracts=tuple(sorted(contracts)),
        purpose="; ".join(dict.fromkeys(agreement.purpose for agreement in agreements)),
        legal_basis=strictest,
        destroy_by={
            contract_id: contract.data_agreement.destroy_by
            for contract_id, contract in contracts.items()
            if contract.data_agreement.destroy_by is not None
        },
    )


def _school(documents: Documents, school_id: str, name: str) -> Audience:
    return Audience(
        f"school-{school_id}", "school", school_id, name, _workgroups(documents, "school", f"school-{school_id}"), (),
        "Tutoring of the school's own students", "SCHOOL_OFFICIAL", {},
    )  # fmt: skip


def _public(documents: Documents) -> Audience:
    return Audience(
        PUBLIC, "public", "", "The public", _workgroups(documents, PUBLIC), (), "Public accountability", "DE_IDENTIFIED", {}
    )  # fmt: skip
