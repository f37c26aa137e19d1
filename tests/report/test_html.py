from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from datalint.report.html import html
from datalint.report.html.limits import MOST_BYTES, TYPICAL_BYTES
from datalint.report.models import Affected, Held, Report, RuleStatus, SplitInfo
from tests.report import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Outline(HTMLParser):
    """The elements of a page; refuses wrong nesting."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), [*self.open]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), [*self.open]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs, _ in self.elements if name == tag]


PAGES: dict[str, Callable[[], Report]] = {
    "typical": examples.typical,
    "hostile": examples.hostile,
    "crowded": examples.crowded,
    "many": lambda: examples.many(300),
    "empty": lambda: examples.report([]),
    "clean": lambda: examples.report([examples.clean_table()]),
    "unlabelled": lambda: examples.report([examples.unlabelled()]),
}


@pytest.mark.parametrize("name", PAGES)
def test_structure_is_sound_and_accessible(name: str) -> None:
    page = Outline(html.render(PAGES[name]()))
    assert len(page.all("h1")) == len(page.all("main")) == 1
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs, _ in page.elements:
        for pointer in ("aria-labelledby", "href"):
            for target in (attrs.get(pointer) or "").split():
                assert target.startswith("data:") or target.removeprefix("#") in ids
        assert "style" not in attrs  # the content security policy would drop it
        assert not any(key.startswith("on") for key in attrs)
        if tag == "th":
            assert attrs["scope"] in ("col", "row")
        if tag == "img":
            assert attrs["alt"]
        if tag == "svg":
            assert attrs.get("role") == "img" or attrs["aria-hidden"] == "true"
    for tag in ("title", "desc"):
        pictures = sum(attrs.get("role") == "img" for attrs in page.all("svg"))
        assert sum(name == tag and "svg" in above for name, _, above in page.elements) == pictures
    assert len(page.all("caption")) == len(page.all("table"))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_and_only_our_own_code_may_run(name: str) -> None:
    page = html.render(PAGES[name]())
    outline = Outline(page)
    assert len(outline.all("script")) == len(outline.all("style")) == 1
    policy = next(attrs["content"] for attrs in outline.all("meta") if "http-equiv" in attrs) or ""
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert all((attrs["src"] or "").startswith("data:image/webp;base64,") for attrs in outline.all("img"))
    assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//""", page)


def test_script_is_small() -> None:
    page = html.render(examples.report([]))
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)
    assert script
    assert len(script[1].encode()) < 10_000


def test_findings_are_told_whole() -> None:
    page = html.render(examples.typical())
    for part in (
        "4.93% of the train labels are probably wrong",
        "A model that fits these labels learns the mistakes",
        "Look through the samples below",
        "datalint explain LBL102",
        "digits/train/5/img_00000.png",
        "Showing 50 of 95 affected samples",
        "the last column, text with 3 values",
        "the samples are table rows, not images",
        "Loss at chance",
        "1.099",
        "Mean (train)",
    ):
        assert part in page
    # Once among the affected samples, once in the first batch.
    assert page.count('src="data:image/webp') == 2 * 30


def test_findings_are_ordered_worst_first() -> None:
    page = Outline(html.render(examples.report([examples.digits()[0]])))
    cards = [attrs["data-severity"] for attrs in page.all("article")]
    assert cards == ["error", "warning", "warning", "info"]


def test_runs_differ_only_in_the_footer() -> None:
    datasets = [examples.iris(), examples.digits()[0], examples.diabetes()]
    one = html.render(examples.report(datasets))
    two = html.render(examples.report(datasets, started="2031-05-06T07:08:09Z", jobs=64))
    assert one != two
    footer = re.compile(r'<footer id="run">.*?</footer>', re.DOTALL)
    assert footer.sub("", one) == footer.sub("", two)
    assert html.render(examples.report(datasets)) == one


def test_a_report_read_back_makes_the_same_page() -> None:
    report = examples.report([examples.iris(), examples.diabetes()])
    assert html.render(Report.model_validate_json(report.to_json())) == html.render(report)


@pytest.mark.parametrize("name", examples.HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    page = html.render(examples.hostile())
    if "<" in name:
        assert name not in page
    assert "{{" not in re.sub(r"\{\{ 7 \* 7 \}\}\{% raw %\}", "", page)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.parametrize(("amount", "shown"), [(10, 10), (1_000, 400), (100_000, 400)])
def test_size_stays_in_budget_and_the_page_says_what_it_leaves_out(amount: int, shown: int) -> None:
    page = html.render(examples.many(amount))
    assert len(page.encode()) <= TYPICAL_BYTES
    assert page.count("<article ") == shown
    if amount > shown:
        assert f"VAL100: showing 100 of {amount // 4:,} findings." in page


def test_thumbnails_are_limited_in_number_and_bytes() -> None:
    cards = [
        examples.finding(
            "IMG105",
            "odd-size",
            "info",
            f"Group {card} is odd.",
            affected=Affected(count=50, samples=tuple(examples.sample(f"{card}/{n}.png", n) for n in range(50))),
        )
        for card in range(10)
    ]
    names = [sample.id for card in cards for sample in card.affected.samples]
    for size, most in ((300, 300), (10_000, 100), (60_000, 0)):
        report = examples.report([examples.clean_table().model_copy(update={"findings": tuple(cards)})])
        page = html.render(report.holding(Held(thumbnails=dict.fromkeys(names, bytes(size)))))
        assert len(page.encode()) <= TYPICAL_BYTES
        assert most * 0.5 <= page.count("<img ") <= most


def test_the_most_that_a_report_can_hold_stays_below_the_hard_limit() -> None:
    long = "'" * 100_000  # the apostrophe grows most when it is escaped
    names = [f"{long[:4000]}{n}" for n in range(60)]
    facts: dict[str, JsonValue] = {
        "label_strip": {
            name: {
                "kind": "classes",
                "classes": [*names[:11], "other"],
                "bins": [[(n * k * 7) % 13 + 1 for k in range(12)] for n in range(300)],
                "samples": 10**9,
                "exact": False,
            }
            for name in names
        },
        "class_balance": {
            name: {"counts": dict.fromkeys(names, 7), "weights": dict.fromkeys(names, 0.5)} for name in names
        },
        "batches": {name: {"size": 1, "single_label_share": 0.5} for name in names},
        "input_range": {name: {"low": 0.5} for name in names},
        "model": {"name": long, "accuracy": 0.5},
    }
    evidence: dict[str, Any] = {
        **{f"records{n}": [dict.fromkeys(names, long)] * 60 for n in range(20)},
        **{f"mapping{n}": dict.fromkeys(names, [long] * 60) for n in range(20)},
    }
    samples = tuple(examples.sample(name, 0, name, **dict.fromkeys(names, long)) for name in names)
    one = examples.finding(
        "XYZ",
        long,
        "error",
        long,
        consequence=long,
        remedy=long,
        column=long,
        class_=long,
        evidence=evidence,
        affected=Affected(count=10**9, samples=samples),
    )
    found = tuple(one.model_copy(update={"code": f"XYZ{n}", "split": names[n % 60]}) for n in range(200))
    dataset = examples.clean_table().model_copy(
        update={
            "name": long,
            "path": long,
            "layout": long,
            "facts": facts,
            "findings": found,
            "splits": tuple(SplitInfo(name=name, samples=5, evidence=long) for name in names),
            "rules": tuple(RuleStatus(code=f"XYZ{n}", rule=long, status="failed", reason=long) for n in range(999)),
        }
    )
    report = examples.report([dataset] * 60).holding(Held(thumbnails=dict.fromkeys(names, bytes(9_000))))
    page = html.render(report)
    assert len(page.encode()) <= MOST_BYTES
    assert "Showing 5 of 60 data sets" in page
    Outline(page)


def test_silence_is_not_taken_for_health() -> None:
    assert '<p class="panel">none.</p>' in html.render(examples.report([examples.clean_table()]))
    assert '<p class="panel">no rule could judge this data set.</p>' in html.render(
        examples.report([examples.unlabelled()])
    )


def test_malformed_facts_are_left_out() -> None:
    facts: dict[str, JsonValue] = {
        "label_strip": {
            "a": {"kind": "classes", "classes": ["x"], "bins": [[1, 2]], "samples": 3},
            "b": {"kind": "unheard of"},
            "c": {"kind": "numeric", "means": [], "low": 1, "high": 0, "samples": 0},
            "d": {"kind": "classes", "classes": ["x"], "bins": [], "samples": 0},
            "e": {"kind": "classes", "classes": ["x", "y"], "bins": [[0, 0], [0, 0]], "samples": 0},
            "f": 7,
        },
        "class_balance": [1],
        "batches": {"a": {"size": "many"}},
        "input_range": None,
        "model": "forest",
    }
    page = html.render(examples.report([examples.clean_table().model_copy(update={"facts": facts})]))
    assert "Labels in stored order" not in page
    assert "Good to know" not in page


def test_very_many_classes_show_the_largest_and_the_smallest() -> None:
    counts = {f"class{n}": 1000 - n for n in range(500)}
    dataset = examples.clean_table().model_copy(update={"splits": (SplitInfo(name="all", samples=1, classes=counts),)})
    page = html.render(examples.report([dataset]))
    assert "480 classes between" in page
    assert "class0<" in page
    assert "class499<" in page
    assert "class250<" not in page


def test_strip_of_sorted_labels_is_one_block_per_class() -> None:
    page = html.render(examples.report([examples.iris()]))
    paths = re.findall(r'<path class="k\d+" d="([^"]*)"/>', page)
    assert paths == [
        "M0 0h50v200h-50z",
        "M50 0h50v200h-50z",
        "M100 0h50v200h-50z",
    ]
    assert "in stored order: setosa, setosa, setosa, versicolor" in page


def test_notebooks_get_the_page_in_a_frame() -> None:
    frame = examples.report([examples.iris()])._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert frame.count("<") == 2
