"""The page in a real browser: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from datalint.report.html import html
from datalint.report.views import Views
from tests.report import examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from datalint.report.models import Report

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]

CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const v = c[i] / 255;
    return sum + weight * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c[3] === 255) return c;
    }
    return [255, 255, 255, 255];
  };
  const bad = [];
  for (const e of document.querySelectorAll("body *:not(script):not(option)")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${e.tagName}.${e.className}: ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        # .ci/run installs it, so there its absence is a failure; on a laptop without it the other tests still count.
        if os.environ.get("CI"):
            pytest.fail("no Chromium is installed")
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A page opened from a file, with all that it tried to load and all that it complained of."""

    def __init__(self, browser: Browser, folder: Path, report: Report, fragment: str = "", **options: Any) -> None:
        file = folder / "report.html"
        file.write_text(html.render(report), encoding="utf-8", newline="\n")
        self.trouble: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_context(**options).new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda message: self.trouble.append(message.text))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", lambda dialog: self.trouble.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri() + fragment)

    def shows(self, cards: int) -> None:
        """Wait for so many cards: the page changes a moment after what makes it change."""
        expect(self.page.locator("article.card:visible")).to_have_count(cards)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_page_is_quiet_legible_and_stays_in_its_width(
    browser: Browser, tmp_path: Path, theme: Literal["light", "dark"], width: int
) -> None:
    visit = Visit(browser, tmp_path, examples.typical(), color_scheme=theme, viewport={"width": width, "height": 900})
    assert visit.trouble == []
    assert [url for url in visit.requests if not url.startswith(("file://", "data:"))] == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.page.evaluate(CONTRAST) == []
    background = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(244, 245, 247)" if theme == "light" else "rgb(17, 21, 27)")
    images = visit.page.evaluate("[...document.images].filter(i => i.checkVisibility()).map(i => i.naturalWidth)")
    assert set(images) == {96}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["typical", "hostile", "crowded"])
def test_no_rule_of_accessibility_is_broken(
    browser: Browser, tmp_path: Path, theme: Literal["light", "dark"], name: str
) -> None:
    visit = Visit(browser, tmp_path, getattr(examples, name)(), color_scheme=theme, bypass_csp=True)
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    judged = Axe().run(visit.page).response
    broken = judged["violations"]
    assert len(judged["passes"]) > 20
    assert [(rule["id"], rule["nodes"][0]["html"], rule["nodes"][0]["failureSummary"]) for rule in broken] == []


@pytest.mark.parametrize("width", [1280, 400])
def test_very_long_names_and_a_thousand_classes_stay_in_the_width(browser: Browser, tmp_path: Path, width: int) -> None:
    visit = Visit(browser, tmp_path, examples.crowded(), viewport={"width": width, "height": 900})
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    # A table may scroll sideways, but nothing of a panel may stick out of it.
    outside = """[...document.querySelectorAll(".panel > *, .card > *, figure, .tilesheet")].filter((e) => {
      const box = e.getBoundingClientRect(), around = e.closest(".panel, .card").getBoundingClientRect();
      return box.width && (box.right > around.right + 1 || box.left < around.left - 1);
    }).map((e) => e.outerHTML.slice(0, 80))"""
    assert visit.page.evaluate(outside) == []


def test_marks_of_the_charts_lie_where_the_numbers_are(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.typical())
    # The scale of 1e9 reaches to the right of the line of 1, that of 1e-6 to its left.
    lines = visit.page.locator(".scales tbody tr")
    right = lines.nth(0).evaluate(
        "e => [e.querySelector('.far'), e.querySelector('.home')].map(m => m.getBoundingClientRect().left)"
    )
    left = lines.nth(1).evaluate(
        "e => [e.querySelector('.far'), e.querySelector('.home')].map(m => m.getBoundingClientRect().right)"
    )
    assert abs(right[0] - right[1]) <= 1
    assert abs(left[0] - left[1]) <= 1
    assert lines.nth(2).locator(".far, .near").count() == 0
    assert lines.nth(2).locator("td").nth(1).text_content() == "constant"
    # The picture of the pooled rows stands on the line in all ten columns; that of train does not.
    offsets = """k => [...document.querySelectorAll(".pooled tbody td:first-of-type")].map(
      (cell) => Math.abs(cell.querySelector(".s" + k).getBoundingClientRect().left - cell.querySelector(".home").getBoundingClientRect().left)
    )"""
    assert max(visit.page.evaluate(offsets, 0)) < 3
    assert max(visit.page.evaluate(offsets, 1)) > 50
    swapped = visit.page.locator(".sizes .scroll .swapped").bounding_box()
    usual = visit.page.locator(".sizes .scroll circle").first.bounding_box()
    assert swapped and usual and usual["width"] > swapped["width"]
    assert swapped["y"] < usual["y"] + usual["height"] / 2  # taller, so higher up


def test_the_filter_hides_by_every_field_and_counts_what_is_left(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.typical(), "#severity=error&split=train&text=labels")
    visit.shows(1)
    assert visit.page.get_by_role("combobox", name="Split").input_value() == "train"
    assert visit.page.get_by_role("searchbox", name="Text").input_value() == "labels"
    visit.page.get_by_role("searchbox", name="Text").fill("no card says this")
    visit.shows(0)
    assert visit.page.locator(".nomatch:visible").count() == 1
    assert "text=no+card+says+this" in visit.page.evaluate("location.hash")


@pytest.mark.parametrize("width", [1280, 400])
def test_hostile_names_do_not_run(browser: Browser, tmp_path: Path, width: int) -> None:
    visit = Visit(browser, tmp_path, examples.hostile(), viewport={"width": width, "height": 900})
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    visit.page.locator("h1").hover()
    assert visit.trouble == []
    assert visit.page.evaluate("window.hacked") is None
    assert [url for url in visit.requests if not url.startswith(("file://", "data:"))] == []
    assert visit.page.locator("script").count() == visit.page.locator("style").count() == 1
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    text = visit.page.locator("main").text_content() or ""
    for name in examples.HOSTILE:
        if name.isprintable():
            assert name in text


def test_injected_code_would_not_run(browser: Browser, tmp_path: Path) -> None:
    """The content security policy stands even where escaping should fail."""
    visit = Visit(browser, tmp_path, examples.report([]))
    visit.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.hacked = 1";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hacked=1'>");
        }"""
    )
    visit.page.wait_for_timeout(100)
    assert visit.page.evaluate("window.hacked") is None
    assert visit.trouble


def test_filters_and_their_state_in_the_address(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.typical())
    page = visit.page
    visit.shows(8)
    page.get_by_role("checkbox", name="info").uncheck()
    visit.shows(6)
    page.get_by_role("combobox", name="Rule").select_option("ORD101")
    visit.shows(1)
    assert page.locator(".nomatch:visible").count() == 0
    assert page.evaluate("location.hash") == "#severity=error%2Cwarning&rule=ORD101"
    expect(page.locator("#shown")).to_have_text("1 of 8 shown")
    page.reload()
    visit.shows(1)
    assert not page.get_by_role("checkbox", name="info").is_checked()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#shown")).to_have_text("8 of 8 shown")
    page.get_by_role("combobox", name="Split").select_option("test")
    visit.shows(1)
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("searchbox", name="Text").fill("img_00013")
    visit.shows(1)
    assert visit.trouble == []


def test_a_link_to_a_hidden_finding_shows_it(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.typical(), "#severity=info")
    visit.shows(2)
    assert visit.page.locator("details.finding[open]").count() == 0
    visit.page.evaluate("location.hash = '#finding-1'")
    visit.shows(8)
    expect(visit.page.locator("#finding-1")).to_be_in_viewport()
    expect(visit.page.locator("#finding-1 .advice")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (400, 800)])
def test_the_first_screen_says_what_is_wrong_where_and_how_to_fix_it(
    browser: Browser, tmp_path: Path, width: int, height: int
) -> None:
    visit = Visit(browser, tmp_path, examples.typical(), viewport={"width": width, "height": height})
    first = visit.page.locator("article.card").first
    assert "error" in (first.get_attribute("class") or "")
    for part in (".title", ".where", ".message", ".cure"):
        box = first.locator(part).last.bounding_box()
        assert box is not None and box["y"] + box["height"] <= height, part


def test_columns_lead_to_the_findings_about_them(browser: Browser, tmp_path: Path) -> None:
    found = examples.finding("VAL103", "missing-values", "warning", "Gaps.", column="age")
    dataset = examples.clean_table().model_copy(
        update={"findings": (found,), "views": Views(columns=examples.columns(["age", "town"]))}
    )
    visit = Visit(browser, tmp_path, examples.report([dataset]))
    rows = visit.page.locator("table.columns tbody tr")
    assert rows.count() == 2
    assert "VAL103" in (rows.nth(0).text_content() or "") and "VAL103" not in (rows.nth(1).text_content() or "")
    rows.nth(0).get_by_role("link").click()
    expect(visit.page.locator("#finding-1 .advice")).to_be_visible()
    # A value twice as frequent has a bar twice as high.
    tall, low = (
        visit.page.locator(".histogram").nth(k).evaluate("e => e.querySelector('path').getBoundingClientRect().height")
        for k in (0, 1)
    )
    assert tall == pytest.approx(2 * low, rel=0.1)


def test_filter_by_a_hostile_split(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.hostile())
    visit.page.get_by_role("combobox", name="Split").select_option("<script>window.hacked=1</script>")
    visit.shows(3)
    visit.page.reload()
    visit.shows(3)
    assert visit.trouble == []


def test_page_is_complete_without_its_script(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.typical(), java_script_enabled=False)
    visit.shows(8)
    assert not visit.page.locator("#filter").is_visible()


def test_paper_shows_what_is_folded_and_no_filter(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.typical())
    assert visit.page.locator("details[open]").count() == 0
    assert re.match(rb"%PDF", visit.page.pdf())
    visit.page.emulate_media(media="print")
    assert not visit.page.locator("#filter").is_visible()
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert visit.page.locator("details:not([open])").count() == 0


def test_keyboard_reaches_the_results_first(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.typical())
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.className") == "skip"
    assert visit.page.locator(".skip").evaluate("e => e.getBoundingClientRect().left >= 0")


def test_a_hundred_thousand_findings_open(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, examples.many(100_000))
    visit.page.get_by_role("searchbox", name="Text").fill("feature_396 ")
    expect(visit.page.locator("#shown")).to_have_text("1 of 400 shown")
    assert visit.trouble == []


def test_a_notebook_frame_works(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "notebook.html"
    file.write_text(f"<!doctype html><title>n</title>{examples.typical()._repr_html_()}", encoding="utf-8")
    page = browser.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(file.as_uri())
    frame = page.frame_locator("iframe")
    frame.get_by_role("checkbox", name="info").uncheck()
    expect(frame.locator("#shown")).to_have_text("6 of 8 shown")
    assert trouble == []
