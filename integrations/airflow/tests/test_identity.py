"""Which tasks are one run, and which are not."""

from __future__ import annotations

from flink_dispatch_airflow.identity import MOST_KEY_LENGTH, TaskIdentity, idempotency_key

TASK = TaskIdentity("etl", "manual__2026-11-30T00:00:00+00:00", "run", -1, 1)


def test_a_key_names_its_task_and_fits() -> None:
    assert idempotency_key("airflow", TASK, 1) == "airflow/etl/manual__2026-11-30T00%3A00%3A00%2B00%3A00/run/-1/1/1"
    long = idempotency_key("airflow", TASK._replace(dag_id="d" * 250), 1)
    assert long.startswith("sha256/") and len(long) <= MOST_KEY_LENGTH


def test_no_two_tasks_have_one_key() -> None:
    tasks = [
        TASK,
        TASK._replace(dag_id="other"),
        TASK._replace(run_id="other"),
        TASK._replace(task_id="run/-1"),
        TASK._replace(map_index=0),
        TASK._replace(first_try=3),
        TASK._replace(dag_id="d" * 250),
        TASK._replace(dag_id="e" * 250),
    ]
    keys = [idempotency_key("airflow", task, start) for task in tasks for start in (1, 2)]
    keys.append(idempotency_key("staging", TASK, 1))
    assert len(set(keys)) == len(keys)
