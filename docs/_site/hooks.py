"""What MkDocs calls while it builds the site: pages and parts of pages that follow from the code, budgets, ``llms.txt``."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "rules")]

from datalint.core.project import DOCUMENTATION  # noqa: E402
from docs._site import parts, rules  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.nav import Navigation
    from mkdocs.structure.pages import Page

log = logging.getLogger("mkdocs.hooks.datalint")  # a warning below mkdocs fails a strict build

BUDGET: Final = 400_000
"""Bytes that a page may take."""

PART: Final = re.compile(r"<!-- (generated|rules): (.+?) -->")


def on_config(config: MkDocsConfig) -> None:
    """Say where the site is published, and list the pages of the rules."""
    config.site_url = DOCUMENTATION
    config.nav = [{"Rules": rules.navigation()} if "Rules" in entry else entry for entry in config.nav or ()]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that no file holds."""
    for name, text in (rules.pages() | parts.pages()).items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Put generated parts where a page asks for them."""

    def made(found: re.Match[str]) -> str:
        try:
            return rules.of_items(found[2], page.file.src_uri) if found[1] == "rules" else parts.PARTS[found[2]]()
        except KeyError:
            log.warning("%s: there is no generated part %r", page.file.src_uri, found[2])
            return ""

    return PART.sub(made, markdown)


def on_post_page(output: str, page: Page, **_: object) -> None:
    """Name a page that is over its budget."""
    size = len(output.encode())
    if size > BUDGET:
        log.warning("%s takes %s bytes; the budget is %s", page.file.src_uri, f"{size:,}", f"{BUDGET:,}")


def on_nav(nav: Navigation, config: MkDocsConfig, **_: object) -> None:
    """Keep the order of the pages for ``llms.txt``."""
    config.extra["pages"] = nav.pages


def on_post_build(config: MkDocsConfig) -> None:
    """List the pages for programs that read text."""
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", ""]
    for page in config.extra["pages"]:
        about = page.meta.get("description", "")
        lines.append(f"- [{page.title}]({page.canonical_url})" + (f": {about}" if about else ""))
    Path(config.site_dir, "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
