"""The DAG of the project's examples, as Airflow loads it."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from conftest import BUCKET, QUEUE_URL

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_it_is_a_dag_whose_task_is_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLINK_DISPATCH_QUEUE_URL", QUEUE_URL)
    monkeypatch.setenv("FLINK_DISPATCH_LEDGER_BUCKET", BUCKET)
    dag = runpy.run_path(str(EXAMPLES / "airflow/order_totals.py"))["dag"]
    assert dag.task_ids == ["totals"]
    task = dag.get_task("totals")
    assert (task.queue_url, task.ledger_bucket, task.run_job) == (QUEUE_URL, BUCKET, "order-totals")
