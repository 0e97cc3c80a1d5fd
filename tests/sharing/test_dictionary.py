"""The dictionary says of every published table and column what the models say."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from obc_pipeline.dbt_build import DbtBuild, read_manifest
from obc_pipeline.home import Home
from obc_pipeline.sharing.dictionary import dictionary_page
from obc_pipeline.sharing.publish import mart_tables


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read_manifest(DbtBuild(Home(tmp_path_factory.mktemp("dictionary"))).ensure_manifest())


def test_every_published_table_and_column_is_in_it_with_its_meaning(manifest: dict[str, Any]) -> None:
    text = unescape(dictionary_page(manifest))
    articles = dict(re.findall(r'<h3 id="([\w.]+)">(.*?)</article>', text, re.DOTALL))
    marts = mart_tables(manifest)
    assert set(articles) == {f"{mart.schema}.{mart.name}" for mart in marts}
    for mart in marts:
        body = articles[f"{mart.schema}.{mart.name}"]
        assert mart.description in body
        for name, description in mart.columns.items():
            assert f"<code>{name}</code>" in body
            assert description, f"{mart.schema}.{mart.name}.{name} is not described"
            assert description in body
