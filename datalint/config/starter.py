"""The first ``datalint.toml`` of a data set: what was recognised, and what may be set, as comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.config.discovery import toml_value
from datalint.config.schema import Config
from datalint.report.escape import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.core.dataset import Dataset

EXAMPLES = """\
# Parameters of a rule (`datalint explain LBL101` lists them), and how severe its findings are.
# [rules.LBL101]
# severity = "info"  # error, warning, info or off

# Findings to leave out by place. All that is named must apply.
# [[ignores]]
# rules = ["VAL"]
# column = "zip_*"
# reason = "codes, not quantities"

# A single finding to leave out, by its fingerprint in report.json.
# [[suppressions]]
# fingerprint = "0123456789abcdef0123"
# reason = "looked at: correct"
# expires = 2030-01-01
"""


def starter(datasets: Sequence[Dataset]) -> str:
    """The text of the file."""
    return "\n".join([*_lines(datasets), "", EXAMPLES])


def _lines(datasets: Sequence[Dataset]) -> Iterator[str]:
    yield "# Settings of datalint for the data in this folder. `datalint config` prints those that hold."
    yield ""
    for dataset in datasets[:20]:
        yield _comment(f"{dataset.name}: {dataset.layout}, {dataset.evidence}")
        for split in dataset.splits:
            yield _comment(f"  split {split.name}: {split.evidence}")
        if dataset.label is None:
            yield _comment(f"  no label: {dataset.skipped_label}")
        else:
            yield _comment(f"  label {dataset.label.name}: {dataset.label.evidence}")
    if len(datasets) > 20:
        yield f"# and {len(datasets) - 20:,} more data sets"
    # Only a column can be named as the label; class folders say it by themselves.
    labels = {d.label.name if d.label is not None and d.column(d.label.name) else None for d in datasets}
    named = next(iter(labels)) if len(labels) == 1 else None
    yield ""
    yield f"label = {toml_value(named)}" if named is not None else '# label = "name of the label column"'
    yield '# roles = { id = "customer_id", group = "patient", time = "taken_at", ignore = ["notes", "tmp_*"] }'
    yield '# task = "classification"'
    yield '# splits = { train = "train*.csv", test = "test*.csv" }'
    yield ""
    for name in ("select", "ignore"):
        yield f"# {Config.model_fields[name].description}"
        yield f"# {name} = {toml_value(['ORD101', 'LBL'])}"
    for name in ("batch_size", "fail_on", "preset", "memory"):
        field = Config.model_fields[name]
        yield f"# {field.description}"
        yield f"# {field.alias} = {toml_value(field.default)}"
    yield f"# {Config.model_fields['baseline'].description}"
    yield '# baseline = "datalint-baseline.json"'


def _comment(text: str) -> str:
    return "# " + " ".join(clean(text, 300).split())
