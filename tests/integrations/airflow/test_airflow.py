"""The operator, in runs of a DAG by Airflow itself with its database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.integrations.workspace import bad, example, good

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
import json
from dags.training import training_dag
done = training_dag.test()
from airflow.models.xcom import XComModel
from airflow.settings import Session
session = Session()
told = {
    ti.task_id: {
        "state": ti.state,
        "tries": ti.try_number,
        "xcom": [row.value for row in session.scalars(XComModel.get_many(run_id=done.run_id, task_ids=ti.task_id))],
    }
    for ti in done.get_task_instances(session=session)
}
print("told:", json.dumps(told))
"""


def environment(home: Path) -> dict[str, str]:
    """A home of its own, and nothing that is only there to be looked at."""
    return os.environ | {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of Airflow with its database."""
    folder = tmp_path_factory.mktemp("airflow")
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment(folder), check=True)
    return folder


def run(home: Path, folder: Path, dag: str) -> tuple[dict[str, Any], str]:
    """State and result of every task of a DAG, and what was printed."""
    (folder / "dags").mkdir()
    (folder / "dags" / "training.py").write_text(dag, encoding="utf-8")
    (folder / "run.py").write_text(RUN, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "run.py"],
        cwd=folder,
        env=environment(home) | {"AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("told:")]
    return json.loads(line.removeprefix("told:")), done.stdout


def test_good_data_goes_on(home: Path, tmp_path: Path) -> None:
    good(tmp_path)
    told, printed = run(home, tmp_path, example("dags/training.py").replace('"data"', '"{{ dag.dag_id[:0] }}data"'))
    assert {name: task["state"] for name, task in told.items()} == {"check": "success", "train": "success"}, printed
    (result,) = told["check"]["xcom"]
    result = json.loads(result) if isinstance(result, str) else result
    assert result["error"] == result["warning"] == 0
    assert result["info"] == len(result["codes"])
    assert json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))["summary"]["warning"] == 0


def test_bad_data_fails_at_once(home: Path, tmp_path: Path) -> None:
    bad(tmp_path)
    dag = example("dags/training.py")
    assert "retries=3" in dag
    told, printed = run(home, tmp_path, dag)
    assert {name: task["state"] for name, task in told.items()} == {"check": "failed", "train": "upstream_failed"}
    assert told["check"]["tries"] == 1
    assert "ORD101" in printed
    assert (tmp_path / "report" / "report.html").exists()


def test_another_error_would_be_tried_again(home: Path, tmp_path: Path) -> None:
    # What the tests above say of retries means something only if Airflow retries here at all.
    dag = example("dags/training.py").replace(
        "    DatalintOperator(",
        "    class Broken(DatalintOperator):\n        def execute(self, context):\n            raise OSError\n\n    Broken(",
    )
    told, _ = run(home, tmp_path, dag.replace("retries=3", "retries=1, retry_delay=0.1"))
    assert (told["check"]["state"], told["check"]["tries"]) == ("failed", 2)
