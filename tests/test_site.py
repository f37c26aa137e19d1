"""The site: built as it is published, and looked at in a real browser."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from datalint.cli import COMMANDS
from datalint.core.project import DOCUMENTATION
from datalint.rules.catalogue import built_in
from datalint.sources.tables.formats import BUILT_IN
from tests.command import ROOT
from tests.report.test_browser import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

LOOKED_AT = [
    "",
    "rules/ORD101/",
    "guide/configuration/",
    "reference/api/",
    "reference/comparison/",
    "loss/",
]


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build a site as ``.ci/run`` does."""
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    settings = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(words, cwd=root, env=settings, capture_output=True, text=True, check=False, timeout=240)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this repository."""
    place = tmp_path_factory.mktemp("site")
    done = build(ROOT, place)
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where it is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found is not None, "the site is looked at in Chromium"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


def test_every_rule_command_and_format_is_on_it(site: Path) -> None:
    listed = (site / "rules" / "index.html").read_text(encoding="utf-8")
    for rule in built_in():
        page = (site / "rules" / rule.code / "index.html").read_text(encoding="utf-8")
        assert f"{rule.code} {rule.name}" in page
        for part in ("why-it-hurts", "how-to-fix-it", "when-it-is-wrong", "how-often-it-is-right"):
            assert f'id="{part}"' in page, rule.code
        for name in rule.Params.model_fields:
            assert f"<code>{name}</code>" in page, f"{rule.code} {name}"
        assert f'href="{rule.code}/"' in listed
    commands = (site / "reference" / "commands" / "index.html").read_text(encoding="utf-8")
    assert all(f'id="datalint-{name}"' in commands for name in COMMANDS)
    formats = (site / "reference" / "formats" / "index.html").read_text(encoding="utf-8")
    assert all(f"<code>{suffix}</code>" in formats for known in BUILT_IN for suffix in known.suffixes)


def test_what_is_to_be_replaced_is(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.search(r"<!-- (generated|rules):|:::", page.read_text(encoding="utf-8")), page


def test_the_list_for_programs_names_pages_that_are_there(site: Path) -> None:
    listed = (site / "llms.txt").read_text(encoding="utf-8")
    found = re.findall(rf"\]\({re.escape(DOCUMENTATION)}([^)]*)\)(: .+)?", listed)
    assert len(found) > len(built_in())
    for path, about in found:
        assert (site / path / "index.html").is_file(), path
        assert about, f"{path} has no description"


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|img|iframe|source)[^>]*\bsrc=\"([^\"]*)", text)
        fetched += re.findall(r"<link[^>]*rel=\"(?:stylesheet|icon|preload|preconnect)\"[^>]*href=\"([^\"]*)", text)
        assert not [source for source in fetched if re.match(r"(https?:)?//", source)], page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", LOOKED_AT)
def test_a_page_is_legible_and_stays_in_its_width(
    browser: Browser, address: str, path: str, theme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(color_scheme=theme, viewport={"width": 1280, "height": 800})
    trouble: list[str] = []
    page.on("request", lambda request: trouble.append(request.url) if not request.url.startswith(address) else None)
    page.on("console", lambda message: trouble.append(message.text))
    page.goto(address + path)
    page.wait_for_function("document.querySelector('.md-search').ariaLabel")
    judged = Axe().run(page).response
    assert len(judged["passes"]) > 20
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in judged["violations"]] == []
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert trouble == []
    page.close()


def test_the_search_finds_a_rule(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.get_by_placeholder("Search").click()
    page.keyboard.type("pre-split-normalization")
    page.locator(".md-search-result__link", has_text="SPL103").first.click()
    page.wait_for_url("**/rules/SPL103/**")
    page.close()


def test_what_is_wrong_with_a_page_is_named(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for path in ROOT.iterdir():
        if path.name not in {"docs", "mkdocs.yml", ".git"}:
            (root / path.name).symlink_to(path)
    shutil.copy(ROOT / "mkdocs.yml", root)
    shutil.copytree(ROOT / "docs", root / "docs")
    (root / "docs" / "loss.md").write_text(
        "# Loss\n\n[gone](guide/gone.md) [gone](guide/ci.md#gone)\n", encoding="utf-8"
    )
    (root / "docs" / "design.md").write_text("# Design\n\n<!-- generated: nothing -->\n", encoding="utf-8")
    (root / "docs" / "guide" / "service.md").write_text("# Service\n\n" + "word " * 100_000, encoding="utf-8")
    (root / "docs" / "guide" / "lost.md").write_text("# A page that nothing leads to\n", encoding="utf-8")
    done = build(root, tmp_path / "site")
    assert done.returncode != 0
    for said in (
        "guide/gone.md",
        "#gone",
        "design.md: there is no generated part 'nothing'",
        r"guide/service.md takes",
        "guide/lost.md",
    ):
        assert said in done.stderr, done.stderr
