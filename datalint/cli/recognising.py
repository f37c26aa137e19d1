"""``datalint detect``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from datalint.cli.options import LABEL, SPLITS, by_name, piped, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.dataset import Dataset


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@LABEL
@SPLITS
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def detect(paths: Sequence[str], label: str | None, splits: Sequence[tuple[str, str]], style: str) -> None:
    """Say what would be scanned: layout, label and splits, with the evidence for each. Scans nothing."""
    from datalint import api

    with piped(paths) as source:
        found = api.detect(source, label=label, splits=by_name(splits))
    records = [_recognised(dataset) for dataset in found]
    if style == "json":
        from datalint.report.escape import guard_json

        click.echo(guard_json(json.dumps(records, indent=1)))
        return
    for record in records:
        tell(f"{record['name']}: {record['layout']} ({record['evidence']})")
        for split in record["splits"]:
            tell(f"  split {split['name']}: {split['evidence']}")
        found_label = record["label"]
        if found_label is None:
            tell(f"  label: none ({record['no_label']})")
        else:
            why = f"{found_label['evidence']}; confidence: {found_label['confidence']}"
            tell(f"  label {found_label['name']!r}: {why}")
        for role, names in record["columns"].items():
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""
            tell(f"  {role}: {', '.join(names[:8])}{more}")
        for problem in record["problems"]:
            tell(f"  {problem['path']}: {problem['message']}")


def _recognised(dataset: Dataset) -> dict[str, Any]:
    columns: dict[str, list[str]] = {}
    for column in dataset.fields:
        if column.role != "label":
            columns.setdefault(f"{column.role} columns", []).append(column.name)
    label = dataset.label
    return {
        "name": dataset.name,
        "path": dataset.path,
        "layout": dataset.layout,
        "modality": dataset.modality,
        "evidence": dataset.evidence,
        "splits": [{"name": split.name, "evidence": split.evidence} for split in dataset.splits],
        "label": label and {"name": label.name, "evidence": label.evidence, "confidence": label.confidence},
        "no_label": None if label else dataset.skipped_label,
        "columns": columns,
        "problems": [{"path": p.path, "kind": p.kind, "message": p.message} for p in dataset.problems],
    }
