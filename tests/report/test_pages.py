"""The report as a folder of pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from datalint.core.errors import DatalintError
from datalint.report.html.limits import MOST_BYTES
from datalint.report.html.pages import MOST_SAMPLES, write_pages
from datalint.report.models import Affected, AffectedSample, Held
from tests.report import examples
from tests.report.test_browser import browser as browser  # noqa: PLC0414 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from datalint.report.models import Report


def large(samples: int, length: int = 20) -> Report:
    """A report with a finding of so many samples, whose names are so long."""
    report = examples.typical()
    (first, *rest) = report.datasets
    names = [f"{k:06d}{'x' * length}.png" for k in range(samples)]
    listed = tuple(
        AffectedSample(id=name, index=k, split="train", fingerprint="0" * 16) for k, name in enumerate(names)
    )
    finding = first.findings[0].model_copy(
        update={"affected": Affected(count=samples, samples=listed[:100], truncated=True)}
    )
    datasets = (first.model_copy(update={"findings": (finding, *first.findings[1:])}), *rest)
    made = report.model_copy(update={"datasets": datasets})
    return made.holding(Held({(0, finding.fingerprint): listed}, report.thumbnails))


def test_every_rule_has_its_pages_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    report = large(MOST_SAMPLES + 7)
    index = write_pages(report, tmp_path / "pages")
    pages = {path.name: path.read_text(encoding="utf-8") for path in index.parent.iterdir()}
    code = report.datasets[0].findings[0].code
    for name, text in pages.items():
        assert len(text.encode()) <= MOST_BYTES
        for target in re.findall(r'href="([^"#:]+)"', text):
            assert target in pages, (name, target)
    for found in {finding.code for dataset in report.datasets for finding in dataset.leading}:
        assert f'href="{found}.html"' in pages["index.html"]
    mine = {name: text for name, text in pages.items() if re.fullmatch(rf"{code}(-\d+)?\.html", name)}
    assert len(mine) >= 3
    told = "".join(mine.values())
    assert all(f"{k:06d}xxx" in told for k in range(MOST_SAMPLES))
    assert f"{MOST_SAMPLES:06d}xxx" not in told
    assert "7 more samples are not on these pages." in told


def test_no_page_passes_the_budget(tmp_path: Path) -> None:
    write_pages(large(3_000, 20_000), tmp_path)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert max(sizes) <= MOST_BYTES


def test_pages_of_before_are_replaced_and_nothing_else(tmp_path: Path) -> None:
    write_pages(large(4_000), tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    write_pages(large(10), tmp_path)
    after = {path.name for path in tmp_path.iterdir()}
    assert after < before
    (tmp_path / "other.html").write_text("<p>mine</p>", encoding="utf-8")
    with pytest.raises(DatalintError, match="holds other files"):
        write_pages(large(10), tmp_path)
    assert (tmp_path / "other.html").read_text(encoding="utf-8") == "<p>mine</p>"
    with pytest.raises(DatalintError, match="is a file"):
        write_pages(large(10), tmp_path / "other.html")


def test_one_can_walk_through_the_pages(browser: Browser, tmp_path: Path) -> None:
    report = large(4_000)
    code = report.datasets[0].findings[0].code
    page = browser.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(write_pages(report, tmp_path).as_uri())
    page.locator(f'.overview a[href="{code}.html"]').click()
    assert page.url.endswith(f"/{code}.html")
    assert page.locator("article.card").count() > 0
    page.get_by_role("link", name="next").click()
    assert page.url.endswith(f"/{code}-2.html")
    page.get_by_role("link", name="previous").click()
    page.get_by_role("link", name="All rules").click()
    assert page.url.endswith("/index.html")
    assert trouble == []
