"""``python -P -m datalint.sources.tables.orc_reader``: writes the rows of an ORC file to standard output as an Arrow stream.

The library that decodes ORC ends the process on some damaged files, so it runs in one of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

STRIPE_BYTES = 1 << 30
"""Bytes of a stripe, on average, beyond which none is read: it is in memory as a whole."""

ROWS = 65_536
"""Rows of one batch, at most."""

BATCH_BYTES = 64 << 20
"""Bytes of one batch, about: what a stripe unpacks to need not be there twice."""

ROOM = 900 << 20
"""Bytes that this process may take: nothing in a file says what its stripes unpack to."""

DAMAGED = 3
"""Exit status if the last line on standard error says what is wrong with the file."""


def main(order: str) -> int:
    """Write what is ordered: ``{"path", "columns", "stripes", "most"}``, null for all; returns the exit status."""
    import pyarrow as pa
    from pyarrow import orc

    asked: dict[str, Any] = json.loads(order)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (ROOM, ROOM))
    try:
        with pa.OSFile(os.fsencode(asked["path"]), "r") as raw:
            table = orc.ORCFile(raw)
            if table.content_length > STRIPE_BYTES * max(1, table.nstripes):
                raise ValueError(f"stripes of more than {STRIPE_BYTES:,} bytes")
            _write(table, asked["columns"], asked["stripes"], asked["most"])
    except MemoryError:
        print(f"its stripes take more than {ROOM:,} bytes of memory to read", file=sys.stderr)
        return DAMAGED
    except (pa.ArrowException, OSError, ValueError) as error:
        print((str(error).strip().splitlines() or [type(error).__name__])[0], file=sys.stderr)
        return DAMAGED
    return 0


def _write(table: Any, columns: list[str] | None, stripes: int | None, most: int | None) -> None:
    import pyarrow as pa

    count = table.nstripes
    places = (
        range(count) if stripes is None else sorted({count * k // stripes for k in range(stripes)}) if count else []
    )
    names = table.schema.names
    wanted = None if columns is None else [name for name in names if name in columns] or names[:1]
    schema = table.schema if wanted is None else pa.schema([table.schema.field(name) for name in wanted])
    facts = {"rows": str(table.nrows), "packing": table.compression.lower()}
    schema = schema.with_metadata(facts)
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as writer:
        for k in places:
            stripe = table.read_stripe(k, wanted)
            rows = stripe.num_rows if most is None else min(most, stripe.num_rows)
            step = max(1, min(ROWS, BATCH_BYTES * stripe.num_rows // max(1, stripe.nbytes)))
            for start in range(0, rows, step):
                some = stripe.slice(start, min(step, rows - start))
                writer.write_batch(pa.RecordBatch.from_arrays(some.columns, schema=schema))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
