"""The verdict as a picture of 1200 x 630 pixels, as pages and chats show one of a link."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from datalint.core.severity import SEVERITIES
from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.escape import clean

if TYPE_CHECKING:
    from datalint.core.severity import Severity
    from datalint.report.models import Report

SIZE: Final = (1200, 630)
EDGE: Final = 64
INK, MUTED, PAPER, GOOD = "#1b1f24", "#566170", "#ffffff", "#1b7340"
COLOURS: Final[dict[Severity, str]] = {"error": "#b3261e", "warning": "#8a5a00", "info": "#1a5fb4"}
FINDINGS: Final = 4


def render(report: Report) -> bytes:
    """A PNG: what was scanned, how many findings of each severity there are, the worst ones, and by what."""
    image = Image.new("RGB", SIZE, PAPER)
    draw = _Pen(ImageDraw.Draw(image))
    worst = next((level for level in SEVERITIES if getattr(report.summary, level)), None)
    colour = COLOURS[worst] if worst else GOOD
    draw.draw.rectangle((0, 0, 16, SIZE[1]), fill=colour)
    draw.line(report.title or ", ".join(dataset.name for dataset in report.datasets) or "no data", 46, INK)
    samples = sum(wording.samples(dataset) for dataset in report.datasets)
    sets = counted(report.summary.datasets, wording.things(report))
    draw.line(f"{sets}, {counted(samples, 'sample')}", 26, MUTED)
    draw.down(18)
    draw.line(wording.found(report).capitalize(), 38, colour)
    draw.down(14)
    found = [(finding, dataset) for dataset in report.datasets for finding in dataset.leading]
    found.sort(key=lambda pair: SEVERITIES.index(pair[0].severity))
    for finding, dataset in found[:FINDINGS]:
        draw.line(
            f"{finding.code}  {wording.relative(finding.message, dataset)}", 26, COLOURS[finding.severity], rows=2
        )
        draw.down(8)
    if len(found) > FINDINGS:
        draw.line(f"and {len(found) - FINDINGS:,} more", 26, MUTED)
    draw.y = SIZE[1] - EDGE - 10
    draw.line(f"datalint {report.tool.version}", 24, MUTED)
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return data.getvalue()


class _Pen:
    """Writes line below line, each cut where the picture ends."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self.draw, self.y = draw, EDGE - 16

    def down(self, pixels: int) -> None:
        """Leave room."""
        self.y += pixels

    def line(self, text: str, size: int, colour: str, rows: int = 1) -> None:
        """Write a text in so many rows at most."""
        font = ImageFont.load_default(size)
        words, most = clean(text, 400).split(), SIZE[0] - 2 * EDGE
        for row in range(rows):
            if not words:
                break
            shown, last = words.pop(0), row == rows - 1
            while words and font.getlength(f"{shown} {words[0]}") <= most:
                shown = f"{shown} {words.pop(0)}"
            if (words and last) or font.getlength(shown) > most:
                while shown and font.getlength(f"{shown}…") > most:
                    shown = shown[:-1]
                shown = f"{shown.rstrip()}…"
            self.draw.text((EDGE, self.y), shown, colour, font)
            self.y += round(size * 1.35)
