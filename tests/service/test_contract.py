"""The interface for programs keeps what its OpenAPI document says, whatever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from datalint.service.app import create
from datalint.service.shared import Service
from tests.command import run
from tests.service.conftest import serving
from tests.service.reports import finding, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case

    from datalint.service.database import Database

V1 = "/api/v1"
JUDGED = {
    ("POST", f"{V1}/reports"),
    ("POST", f"{V1}/datasets"),
    ("POST", f"{V1}/scans"),
    ("PATCH", f"{V1}/findings/{{number}}"),
    ("PATCH", f"{V1}/datasets/{{name}}"),
}
"""Whose body has to be right in ways that no schema says: fingerprints, names of roots, schedules, a reason for what needs one."""
load_all_checks()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A service with a data set of two scans, and what an admin sends to it."""
    folder = tmp_path_factory.mktemp("contract")
    url = f"sqlite:///{folder}/service.db"
    headers = {
        "authorization": f"Bearer {run(folder, 'serve', '--database', url, '--create-token', 'ann').out.strip()}"
    }
    with serving(folder, "--database", url) as service:
        for items in ((), (finding("a"), finding("b"))):
            body = report(*items).to_json()
            httpx2.post(f"{service.url}{V1}/reports?dataset=set", content=body, headers=headers, trust_env=False)
        yield service.url, headers


document = schemathesis.openapi.from_dict(create(Service(cast("Database", None))).openapi())


@document.hook
def map_path_parameters(_: object, values: dict[str, Any] | None) -> dict[str, Any] | None:
    """About half of the time what exists."""
    return values and {name: _existing(value) for name, value in values.items()}


def _existing(value: Any) -> Any:
    if isinstance(value, int):
        return value if value % 2 else 1 + value // 2 % 2
    return "set" if isinstance(value, str) and len(value) % 2 else value


# The stream of events does not end, and has a test of its own.
contract = document.exclude(path=f"{V1}/events")


@contract.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_it_is_as_described(case: Case[Any], served: tuple[str, dict[str, str]]) -> None:
    # What holds of another request before, too, no schema can say.
    earlier = {"If-Match", "Idempotency-Key"} & set(case.headers or {})
    excluded: Any = [positive_data_acceptance] if earlier or (case.method, case.path) in JUDGED else []
    answer = case.call_and_validate(served[0], headers=served[1], excluded_checks=excluded)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]
        assert set(answer.json()) == {"type", "title", "status", "detail"}
