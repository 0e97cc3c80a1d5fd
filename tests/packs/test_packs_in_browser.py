"""The page as its readers have it: in a real browser, on a desk and on a phone, with the filter used and a number read; and no barrier found."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from declared_marts import small_district, write_marts

from obc_pipeline.documents import load
from obc_pipeline.documents.starting import init_home
from obc_pipeline.home import Home
from obc_pipeline.packs.family import write_family_summary
from obc_pipeline.packs.making import workgroup, write_pack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="Chromium and its driver are not installed"),
]
_DESK, _PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of a pack, and a family's summary."""
    home = Home(tmp_path_factory.mktemp("browser") / "home")
    init_home(home.path)
    folder = home.published / "district"
    folder.mkdir(parents=True)
    marts = write_marts(folder / "marts.duckdb", small_district())
    documents = load(home)
    html, _ = write_pack(home, documents, workgroup(documents, "district_data_review"), "district", marts, home.reports / "packs")
    return {"pack": html, "family": write_family_summary(home, documents, "00002")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a network."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(CHROMIUM)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions", {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    )
    yield driver
    driver.quit()


def _open(browser: Any, path: Path, size: tuple[int, int]) -> None:
    # The size of the page itself: a window may not be as narrow as a phone.
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == _PHONE}
    )
    browser.get(path.as_uri())


def _rows(browser: Any, table_id: str) -> list[list[str]]:
    """The rows of a table that a reader sees, cell by cell."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#grid-' + arguments[0] + ' tbody tr')].filter(row => row.offsetParent !== null)"
        ".map(row => [...row.cells].map(cell => cell.textContent.trim()))",
        table_id,
    )


@pytest.mark.parametrize("size", [_DESK, _PHONE], ids=["desk", "phone"])
def test_the_filter_keeps_one_school_and_its_number_can_be_read(browser: Any, files: dict[str, Path], size: tuple[int, int]) -> None:
    from selenium.webdriver.support.ui import Select

    _open(browser, files["pack"], size)
    assert [row[0] for row in _rows(browser, "skipping")] == ["Aspen School", "Birch & Elm School"]
    Select(browser.find_element("id", "school")).select_by_visible_text("Birch & Elm School")
    assert _rows(browser, "skipping") == [["Birch & Elm School", "CTR-1", "9", "57", "15.8 %"]]
    assert "are of Birch & Elm School" in browser.find_element("id", "filtered").text
    Select(browser.find_element("id", "school")).select_by_visible_text("All schools")
    assert len(_rows(browser, "skipping")) == 2


@pytest.mark.parametrize("size", [_DESK, _PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["pack", "family"])
def test_nothing_runs_out_of_the_page_and_nothing_fails(browser: Any, files: dict[str, Path], name: str, size: tuple[int, int]) -> None:
    _open(browser, files[name], size)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_mark_of_a_picture_tells_its_value_under_the_pointer(browser: Any, files: dict[str, Path]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    _open(browser, files["pack"], _DESK)
    mark = browser.find_element("css selector", "figure svg g.mark-rect path[aria-label]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    ActionChains(browser).move_to_element(mark).perform()
    assert "CTR-1" in browser.find_element("id", "tip").text


@pytest.mark.parametrize("size", [_DESK, _PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["pack", "family"])
def test_axe_finds_no_serious_barrier(browser: Any, files: dict[str, Path], name: str, size: tuple[int, int]) -> None:
    from axe_selenium_python import Axe

    _open(browser, files[name], size)
    axe = Axe(browser)
    axe.inject()
    found = axe.run()["violations"]
    assert [f"{issue['id']}: {issue['nodes'][0]['html'][:120]}" for issue in found if issue["impact"] in ("serious", "critical")] == []
