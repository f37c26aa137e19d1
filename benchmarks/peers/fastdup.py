"""fastdup: similarity, picture statistics, unreadable files.

It gives numbers, not verdicts: what counts as dark (mean below 13), bright (above 242), blurred (below 50) and the same
picture (similarity above 0.998) is chosen here.
"""

from __future__ import annotations

import shutil
import tempfile
from importlib import import_module

from benchmarks.peers.protocol import INPUT, found, name

if __name__ == "__main__":
    work = tempfile.mkdtemp(prefix="peer-")
    runner = import_module("fastdup").create(work_dir=work, input_dir=str(INPUT))
    runner.run(ccthreshold=0.96)
    pairs, facts, invalid = runner.similarity(), runner.img_stats(), runner.invalid_instances()
    alike = list(zip(pairs["filename_from"], pairs["filename_to"], pairs["distance"], strict=True))
    found(
        broken=[name(path) for path in invalid["filename"]],
        black=[name(path) for path in facts.loc[facts["mean"] < 13, "filename"]],
        white=[name(path) for path in facts.loc[facts["mean"] > 242, "filename"]],
        blurred=[name(path) for path in facts.loc[facts["blur"] < 50, "filename"]],
        exact=[[name(a), name(b)] for a, b, similarity in alike if similarity > 0.998],
        near=[[name(a), name(b)] for a, b, similarity in alike if similarity > 0.96],
    )
    shutil.rmtree(work)
