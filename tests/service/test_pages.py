"""Every page in a real browser."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.report.test_browser import CONTRAST, browser  # noqa: F401 - a fixture
from tests.service.conftest import SAMPLES, Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

PATHS = [
    "/",
    "/datasets/photos_damaged",
    "/datasets/clean_diabetes",
    "/scans/1",
    "/findings/1",
    "/rules",
    "/rules/SPL103",
    "/compare?old=1&new=1",
    "/add",
    "/add?root=sample_data&path=iris_sorted",
    "/settings",
    "/datasets/photos_damaged/settings",
    "/login",
    "/nowhere",
]

CUT = "[...document.querySelectorAll('.scroll:has(table)')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.ariaLabel)"
"""Tables of which a part is out of sight."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Served]:  # noqa: F811
    """The service after a person has scanned damaged photos with its pages."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, "--root", str(SAMPLES), "--database", f"sqlite:///{folder}/service.db") as served:
        page = browser.new_page()
        page.goto(served.url)
        page.get_by_role("button", name="Scan photos_damaged").click()
        expect(page.get_by_role("heading", name="Scan 1")).to_be_visible()
        page.get_by_role("link", name="Open the report").click(timeout=120_000)
        expect(page.get_by_text("datalint report")).to_be_visible()
        page.close()
        yield served


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("width", "theme"), [(1600, "light"), (1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]
)
def test_every_page_is_legible_quiet_and_accessible(
    browser: Browser,  # noqa: F811
    served: Served,
    path: str,
    theme: Literal["light", "dark"],
    width: int,
) -> None:
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900}, bypass_csp=True)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    response = page.goto(served.url + path)
    assert response is not None
    assert len(response.body()) < 300_000
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []
    assert page.evaluate(CONTRAST) == []
    if width != 1600:
        judged = Axe().run(page).response
        assert len(judged["passes"]) > 15
        broken = [(rule["id"], rule["nodes"][0]["html"]) for rule in judged["violations"]]
        assert broken == []
    assert [text for text in trouble if "404" not in text or path != "/nowhere"] == []
    context.close()


def decide(page: Page, state: str, reason: str) -> None:
    page.get_by_label("State").select_option(state)
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Decide").click()


def test_a_finding_is_decided_with_the_keyboard_and_without_a_script(browser: Browser, served: Served) -> None:  # noqa: F811
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.url}/datasets/photos_damaged")
    expect(page.get_by_text("failed").first).to_be_visible()
    page.get_by_role("checkbox").first.focus()
    page.keyboard.press("Space")
    decide(page, "accepted", "")
    expect(page.get_by_role("alert")).to_contain_text("say why")
    page.go_back()
    page.get_by_role("checkbox").first.check()
    decide(page, "accepted", "known since the camera broke")
    page.get_by_role("link", name="Decided").click()
    expect(page.get_by_text("known since the camera broke").first).to_be_visible()
    page.get_by_role("rowheader").get_by_role("link").first.click()
    page.get_by_label("Comment").fill("ask the <b>team</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("ask the <b>team</b>")).to_be_visible()
    context.close()


def test_a_finding_that_was_accepted_is_open_again_when_it_is_worse(browser: Browser, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "data" / "fruit").mkdir(parents=True)

    def version(repeated: int) -> None:
        rng = random.Random(1)
        rows = [f"{rng.random():.6f},{rng.random():.6f},{'ab'[k % 2]}" for k in range(300)]
        text = "\n".join(["x,y,label", *rows, *rows[:repeated]])
        (tmp_path / "data" / "fruit" / "fruit.csv").write_text(text, encoding="utf-8")

    version(10)
    with serving(tmp_path, "--root", "data", "--database", f"sqlite:///{tmp_path}/service.db") as served:
        page = browser.new_page(viewport={"width": 400, "height": 800})
        page.goto(f"{served.url}/add?root=data&path=fruit/fruit.csv")
        page.get_by_label("Name").fill("sweet fruit")
        page.get_by_role("button", name="Add", exact=True).click()

        def scan() -> None:
            page.get_by_role("button", name="Scan now").click()
            expect(page.get_by_role("link", name="Open the report")).to_be_visible(timeout=120_000)

        scan()
        page.get_by_role("link", name="ORD104").click()
        decide(page, "accepted", "the writer retried")
        expect(page.get_by_text("Accepted: the writer retried", exact=True)).to_be_visible()
        found = page.url
        page.get_by_role("link", name="sweet fruit").click()
        expect(page.get_by_text("None.", exact=True)).to_be_visible()
        scan()  # nothing new
        page.goto(found)
        expect(page.get_by_text("Accepted: the writer retried", exact=True)).to_be_visible()
        version(90)
        page.get_by_role("link", name="sweet fruit").click()
        scan()
        expect(page.get_by_role("row").filter(has_text="ORD104")).to_contain_text("worse")
        page.get_by_role("link", name="ORD104").click()
        expect(page.get_by_text("was accepted at 10, is 90")).to_be_visible()
        expect(page.get_by_text("Accepted: the writer retried", exact=True)).not_to_be_visible()
        page.close()
