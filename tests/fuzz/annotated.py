"""Hostile annotations: boxes and masks of pictures in every layout, then damaged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.fuzz import pictures, tables
from tests.fuzz.case import Case, Content
from tests.fuzz.damage import damaged

if TYPE_CHECKING:
    from random import Random

PICTURES = 6


def annotated_case(r: Random) -> Case:
    """A few pictures with annotations of one layout, some of which are spoilt."""
    data: dict[str, Content] = {f"images/{k}.png": pictures.honest("PNG", "RGB", k) for k in range(PICTURES)}
    make = r.choice((_yolo, _voc, _table, _coco, _masks))
    for name, body in make(r).items():
        data[name] = damaged(r, body) if r.random() < 0.4 else body
    for name in r.sample(sorted(data), r.choice((0, 0, 1, 3))):
        del data[name]
    return Case(data)


def _number(r: Random) -> str:
    odd = ("", "nan", "inf", "-1", "1e400", "1e-400", "0", "99999999999999999999", "x", "0x10", "½", "1,5", "\0")
    return r.choice(odd) if r.random() < 0.1 else f"{r.random():.4f}"


def _name(r: Random) -> str:
    return tables.odd_text(r) if r.random() < 0.3 else r.choice(("oak", "elm"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _yolo(r: Random) -> dict[str, bytes]:
    size = r.choice((4, 4, 4, 5, 6, 8))
    lines = [" ".join([str(r.choice((0, 1, 7))), *(_number(r) for _ in range(size))]) for _ in range(PICTURES * 3)]
    found = {f"labels/{k}.txt": _bytes("\n".join(lines[k::PICTURES])) for k in range(PICTURES)}
    place = r.choice(
        ("images", "../images", "/etc", "/home/x/images", "../../beside", "train.txt", "\\images", ".", "")
    )
    names = json.dumps([_name(r), _name(r)])
    found["data.yaml"] = _bytes(f"path: {r.choice(('.', '..', '/', '/home/x'))}\ntrain: {place}\nnames: {names}\n")
    listed = ["images/0.png", "/data/images/1.png", "../beside/secret.csv", "/etc/passwd", tables.odd_text(r)]
    found["train.txt"] = _bytes("\n".join(listed))
    return found


def _voc(r: Random) -> dict[str, bytes]:
    head = r.choice(("", '<?xml version="1.0"?>', '<!DOCTYPE a [<!ENTITY x SYSTEM "../beside/secret.csv">]>'))
    found = {}
    for k in range(PICTURES):
        box = "".join(f"<{side}>{_number(r)}</{side}>" for side in ("xmin", "ymin", "xmax", "ymax"))
        one = f"<object><name>{r.choice(('oak', '&x;', '<b/>', ''))}</name><bndbox>{box}</bndbox></object>"
        size = f"<size><width>{_number(r)}</width><height>{_number(r)}</height></size>"
        found[f"Annotations/{k}.xml"] = _bytes(
            f"{head}<annotation><filename>../{k}.png</filename>{size}{one * r.choice((0, 1, 3))}</annotation>"
        )
    found["ImageSets/Main/train.txt"] = _bytes(
        "\n".join([*map(str, range(4)), "../../beside/secret", tables.odd_text(r)])
    )
    return found


def _table(r: Random) -> dict[str, bytes]:
    columns = r.choice(("xmin,ymin,xmax,ymax", "x,y,w,h", "x_center,y_center,width,height"))
    rows = [
        ",".join(
            [f"{k % PICTURES}.png", *(_number(r).replace(",", "") for _ in range(4)), r.choice(("oak", "elm", ""))]
        )
        for k in range(20)
    ]
    return {"boxes.csv": _bytes("\n".join([f"filename,{columns},class", *rows, ""]))}


def _coco(r: Random) -> dict[str, bytes]:
    odd: tuple[Any, ...] = (None, "x", -1, 1e308, [], {}, True, 2**70)
    document = {
        "images": [
            {
                "id": k,
                "file_name": r.choice((f"{k}.png", "../beside/secret.csv", _name(r))),
                "width": r.choice((8, *odd)),
            }
            for k in range(PICTURES)
        ],
        "annotations": [
            {
                "id": r.choice((k, *odd)) if r.random() < 0.2 else k,
                "image_id": k % PICTURES,
                "category_id": 1,
                "bbox": [r.choice((1, 2.5, *odd)) if r.random() < 0.2 else 2 for _ in range(4)],
            }
            for k in range(20)
        ],
        "categories": [{"id": 1, "name": _name(r)}],
    }
    return {"annotations/instances_train.json": _bytes(json.dumps(document))}


def _masks(r: Random) -> dict[str, bytes]:
    return {f"masks/{k}.png": pictures.honest("PNG", r.choice(("L", "P", "RGB", "1")), k % 2) for k in range(PICTURES)}
