"""Puts the parts together for one home, or says what is missing."""

from __future__ import annotations

import logging
import os

import dagster as dg

from obc_pipeline.dbt_build import DbtBuild, DbtFailed, read_manifest
from obc_pipeline.defs.automation import landing_sensor, run_job, schedules
from obc_pipeline.defs.checks import check_marts_asset, check_sources_asset
from obc_pipeline.defs.consumers import consumer_specs
from obc_pipeline.defs.district import District
from obc_pipeline.defs.feeds import landing_specs, receive_asset
from obc_pipeline.defs.gate import Ledger, approval_specs, approvals_sensor, contract_ids, posting_asset, proposal_asset
from obc_pipeline.defs.lake import documents_asset, lake_asset
from obc_pipeline.defs.models import model_assets
from obc_pipeline.defs.packs import pack_assets, pack_schedules
from obc_pipeline.defs.published import published_asset
from obc_pipeline.documents import Documents, DocumentsInvalid, load
from obc_pipeline.home import Home
from obc_pipeline.quality.suites import SuiteInvalid


def from_environment() -> dg.Definitions:
    """The definitions of the home in OBC_HOME (default ./obc_home); where there is none, one asset that says what to do."""
    home = Home(os.environ.get("OBC_HOME") or "obc_home")
    if not home.obc_yml.exists():
        return _nothing_but(
            f"There is no district in {home.path}. Set OBC_HOME to the folder of one, or make one: `obc init DIR` for your own, "
            "`obc generate --home DIR --students 10000 --seed 1` for a synthetic one. Then reload this code location."
        )
    try:
        return definitions_of(home, load(home))
    except (DocumentsInvalid, SuiteInvalid, DbtFailed) as problem:
        return _nothing_but(f"The district in {home.path} cannot be loaded; `obc validate` says more. {problem}")


def definitions_of(home: Home, documents: Documents) -> dg.Definitions:
    """Every asset, check, job, schedule and sensor of a home. Raises DbtFailed when the dbt project does not parse."""
    manifest = read_manifest(DbtBuild(home).ensure_manifest())
    postings = [posting_asset(contract_id) for contract_id in contract_ids(documents)]
    packs = pack_assets(documents)
    job = run_job([*postings, *packs])
    return dg.Definitions(
        assets=[
            *landing_specs(documents),
            receive_asset(documents),
            documents_asset(),
            lake_asset(documents),
            check_sources_asset(documents),
            *model_assets(manifest, documents),
            check_marts_asset(documents),
            published_asset(documents, manifest),
            proposal_asset(documents),
            *approval_specs(documents),
            *postings,
            *packs,
            *consumer_specs(manifest),
        ],
        jobs=[job],
        schedules=[*schedules(documents, home, job), *pack_schedules(documents, packs)],
        sensors=[landing_sensor(documents, home, job), approvals_sensor(documents, home)],
        resources={"district": District(home=str(home.path)), "ledger": Ledger(home=str(home.path))},
        executor=dg.in_process_executor,
    )


def _nothing_but(message: str) -> dg.Definitions:
    """Loads without an error, so that the UI comes up and shows the reason where people look."""
    logging.getLogger("obc_pipeline").warning(message)
    return dg.Definitions(assets=[dg.AssetSpec("no_district_loaded", group_name="start_here", description=message)])
