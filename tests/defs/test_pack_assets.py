"""A workgroup's pack is an asset of its own, outside `obc_run`, on the workgroup's cadence."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import duckdb

from obc_pipeline.defs import naming
from obc_pipeline.defs.district import District
from obc_pipeline.defs.packs import pack_assets, pack_schedules
from obc_pipeline.documents import load
from obc_pipeline.documents.starting import init_home
from obc_pipeline.home import Home


def test_a_pack_is_made_of_what_is_published_and_tells_only_names_of_files(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    init_home(home.path)
    marts = home.published / "district" / "marts.duckdb"
    marts.parent.mkdir(parents=True)
    with duckdb.connect(str(marts)) as connection:
        connection.execute(
            "create schema quality; create table quality.published_run as "
            "select 'run-1' as run_id, date '2026-03-31' as as_of_date, timestamp '2026-03-30 08:00:00' as evidence_cutoff_at"
        )
    documents = load(home)
    packs = pack_assets(documents)
    result = dg.materialize(
        packs, selection=[naming.pack_key("district_data_review")], resources={"district": District(home=str(home.path))}
    )
    assert result.success
    metadata = result.asset_materializations_for_node(packs[0].node_def.name)[0].metadata
    assert metadata["names"].value == "district_data_review_2026-03-31.html, district_data_review_2026-03-31.pdf"
    assert (home.reports / "packs" / "district_data_review_2026-03-31.html").exists()


def test_each_workgroup_that_meets_regularly_has_a_schedule(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    init_home(home.path)
    documents = load(home)
    found = {schedule.name: schedule.cron_schedule for schedule in pack_schedules(documents, pack_assets(documents))}
    assert found["pack_district_data_review_monthly"] == "0 7 1 * *"
    assert len(found) == len([group for group in documents.workgroups if group.cadence != "AS_NEEDED"])
