"""TXT106 and TXT107: what should not be passed on, and other languages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import datalint
from datalint.core.secrets import masked, secrets_in
from datalint.report.formats.formats import FORMATS
from tests.command import call
from tests.conversations import chats

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = [chat[1][1] for chat in chats(200, most=1)]
KEY = "AKIA" + "Q3RT7ZPL2MVX8WKD"
FOUND = {
    KEY: "key",
    "sk-ant-" + "api03-Zq8Lk2Vt9Xw4Rb7Nc1Md5Fg3Hj6Ps0Ty": "key",
    "-----BEGIN OPENSSH PRIVATE KEY-----": "key",
    "marta.olsen@nordlicht-verlag.no": "mail address",
    "+49 30 8871 2290": "phone number",
    "(212) 867-5309": "phone number",
    "4539 1488 0343 6467": "card number",
    "DE89 3704 0044 0532 0130 00": "bank account",
    "512-34-9876": "person's number",
}
OTHERS = """9f86d081884c7d659a2feaa0c55ad015a3bf4f1b|user@example.com|git@github.com|4111 1111 1111 1111|ISBN 978-3-16-148410-0
123-45-6789|+1 (415) 555-0132|1609459200000|10.5281/zenodo.3242074|AKIAIOSFODNN7EXAMPLE|sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
ghp_abcdefghijklmnopqrstuvwxyz0123456789|4539 1488 0343 6468|2021-03-04 12:33:00+02:00|v1.2.3-4|00:1B:44:11:3A:B7|3.141592653589793"""


@pytest.mark.parametrize("secret", FOUND)
def test_what_is_one(secret: str) -> None:
    text = f"Look at this: {secret}, please. Thanks!"
    (found,) = secrets_in(text)
    assert (found.kind, text[found.start : found.end]) == (FOUND[secret], secret)
    assert secret not in masked(text) and masked(text).startswith("Look at this: ") and masked(text).endswith("Thanks!")
    assert len(set(re.sub(r"\W", "", secret)) & set(re.sub(r"\W", "", found.masked))) < len(secret) / 2


@pytest.mark.parametrize("text", re.split(r"[|\n]", OTHERS))
def test_what_is_none(text: str) -> None:
    assert masked(f"See {text} there.") == f"See {text} there."


def test_no_format_shows_them(tmp_path: Path) -> None:
    """Nor does any other finding about the same texts."""
    texts = [f"{text} {[*FOUND][k % len(FOUND)]}" if k % 10 == 3 else text for k, text in enumerate(TEXTS)]
    texts[5] = texts[6] = f"<b>{KEY}</b> &amp; {KEY} &lt;br&gt;"
    pd.DataFrame({"review": texts, "opinion": ["good", "bad"] * 100}).to_csv(tmp_path / "reviews.csv", index=False)
    formats = [f"--format={name}:{name}.out" for name in FORMATS]
    for hiding in ([], ["--redact"], ["--no-samples"]):
        only = ["--select", "TXT106"] if hiding else []
        call(tmp_path, "scan", "reviews.csv", "--no-cache", "--output-dir", "out", *formats, *hiding, *only)
        written = [path for path in tmp_path.rglob("*") if path.suffix in {".out", ".html", ".json"}]
        assert len(written) >= len(FORMATS)
        for path in written:
            held = path.read_text(encoding="utf-8")
            assert not [secret for secret in FOUND if secret in held or json.dumps(secret)[1:-1] in held], path
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    (finding,) = [f for f in report["datasets"][0]["findings"] if f["code"] == "TXT106"]
    assert (finding["severity"], finding["affected"]["count"]) == ("info", 22)
    assert finding["evidence"]["kinds"]["key"] >= 5


def test_another_language() -> None:
    other = [
        "Das ist nicht der Weg, den wir mit dem Auto gefahren sind, aber er war auch schön.",
        "Il ne faut pas que vous soyez dans la rue quand les autres sont à la maison.",
        "Это совсем другой язык, на котором говорят в других странах.",
        "これは日本語で書かれた文章で、ほかの文章とはまったく違います。",
    ]
    texts = [*TEXTS[:150], *(f"{text} {k}" for k, text in enumerate(other * 2))]
    (finding,) = datalint.scan(pd.DataFrame({"text": texts}), select=["TXT107"]).findings
    assert (finding.severity, finding.affected.count) == ("info", 8)
    assert finding.evidence["languages"] == {
        "German": 2,
        "French": 2,
        "Russian or another language in Cyrillic": 2,
        "Japanese": 2,
    }
    assert not datalint.scan(pd.DataFrame({"text": TEXTS}), select=["TXT107"]).findings
