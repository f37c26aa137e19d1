"""CleanVision with its default issues, in one process; it crashes on broken files, so it is not shown any."""

from __future__ import annotations

import shutil
from importlib import import_module

from benchmarks.peers.protocol import found, name, without_hidden

if __name__ == "__main__":
    view = without_hidden()
    lab = import_module("cleanvision").Imagelab(data_path=str(view))
    lab.find_issues(n_jobs=1)
    issues = lab.issues

    def named(kind: str) -> list[str]:
        return [name(path) for path in issues.index[issues[f"is_{kind}_issue"]]]

    def sets(kind: str) -> list[list[str]]:
        return [[name(path) for path in group] for group in lab.info.get(kind, {}).get("sets", [])]

    found(
        black=named("dark"),
        white=named("light"),
        blurred=named("blurry"),
        transposed=sorted({*named("odd_size"), *named("odd_aspect_ratio")}),
        exact=sets("exact_duplicates"),
        near=sets("near_duplicates"),
    )
    shutil.rmtree(view)
