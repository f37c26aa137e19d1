"""What pages and the interface for programs both ask for, as far as the one who asks may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select

from datalint.core.errors import DatalintError
from datalint.report.diff import diff
from datalint.service import history
from datalint.service.models import Dataset, Finding, Scan
from datalint.service.problems import Problem
from datalint.service.roots import NAME, place
from datalint.service.security import any_token, new_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request
    from sqlalchemy.orm import Session

    from datalint.report.diff import Diff
    from datalint.service.roots import Roots
    from datalint.service.security import Principal, Role
    from datalint.service.shared import Service

Row = TypeVar("Row", Scan, Finding)


def service_of(request: Request) -> Service:
    """What all requests share."""
    service: Service = request.app.state.service
    return service


def dataset_of(session: Session, who: Principal, name: str) -> Dataset:
    """The data set of that name.

    Raises:
        Problem: there is none.
    """
    dataset = session.scalar(select(Dataset).where(Dataset.name == name, who.sees()))
    if dataset is None:
        raise Problem(404, f"no data set is called {name[:200]!r}")
    return dataset


def scan_of(session: Session, who: Principal, number: int) -> Scan:
    """The scan of that number.

    Raises:
        Problem: there is none.
    """
    return _numbered(session, who, Scan, number)


def finding_of(session: Session, who: Principal, number: int) -> Finding:
    """The finding of that number.

    Raises:
        Problem: there is none.
    """
    return _numbered(session, who, Finding, number)


def _numbered(session: Session, who: Principal, kind: type[Row], number: int) -> Row:
    row = session.scalar(select(kind).join(Dataset).where(kind.id == number, who.sees()))
    if row is None:
        raise Problem(404, f"there is no {kind.__tablename__} {number}")
    return row


def compared(session: Session, who: Principal, old: int, new: int) -> Diff:
    """What changed from one scan to another.

    Raises:
        Problem: one of them does not exist or is not done.
    """
    before, after = (history.report_of(session, scan_of(session, who, number).id) for number in (old, new))
    if before is None or after is None:
        raise Problem(404, "only scans that are done can be compared")
    return diff(before, after)


def new_dataset(session: Session, roots: Roots, who: Principal, name: str, **fields: Any) -> Dataset:
    """A data set that is watched from now on.

    Raises:
        Problem: the name is taken or cannot be one, or the place is not below a root.
    """
    if not NAME.fullmatch(name):
        raise Problem(422, f"{name[:200]!r} is no name: use letters, digits, spaces, dots and hyphens")
    if session.scalar(select(Dataset.id).where(Dataset.name == name)):
        raise Problem(409, f"a data set is called {name!r} already")
    if fields.get("root") is not None:
        place(roots, fields["root"], fields.get("path", ""))
    dataset = Dataset(name=name, **fields)
    session.add(dataset)
    session.flush()
    history.note(session, who.name, "data set added", dataset_id=dataset.id)
    return dataset


def dataset_to_send_to(session: Session, roots: Roots, who: Principal, name: str) -> Dataset:
    """The data set of that name, watched from now on if it was not yet.

    Raises:
        Problem: it cannot be.
    """
    dataset = session.scalar(select(Dataset).where(Dataset.name == name, who.sees()))
    if dataset is not None:
        return dataset
    if who.datasets:
        raise Problem(404, f"no data set is called {name!r}")
    return new_dataset(session, roots, who, name)


def dataset_to_scan(session: Session, roots: Roots, who: Principal, name: str, **where: Any) -> Dataset:
    """The data set of that name; if a place is given with it, it is watched from now on if it was not yet.

    Raises:
        Problem: it cannot be, or lies elsewhere.
    """
    if where["root"] is None:
        return dataset_of(session, who, name)
    dataset = session.scalar(select(Dataset).where(Dataset.name == name, who.sees()))
    if dataset is None:
        if not who.may("admin"):
            raise Problem(403, f"{who.name} is a {who.role}; a data set is added by an admin")
        return new_dataset(session, roots, who, name, **where)
    if (dataset.root, dataset.path) != (where["root"], where["path"]):
        raise Problem(409, f"{name!r} is another data set: leave its place out, or choose another name")
    return dataset


def make_token(session: Session, who: str, name: str, role: Role, only: Sequence[str], days: float | None) -> str:
    """A token, and a line in the log; the first one has to be an admin's, or nobody could make another."""
    if role != "admin" and not any_token(session):
        raise DatalintError("make the token of an admin first: once there is one, nobody comes in without")
    secret = new_token(session, name, role, only, days)
    history.note(session, who, "token created", f"{name}, {role}")
    return secret
