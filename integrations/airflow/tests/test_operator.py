"""Starting, joining, and ending as the run does."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import BUCKET, INSTALLATION

from flink_dispatch_airflow.compat import AirflowException, AirflowFailException, AirflowSkipException, TaskDeferred
from flink_dispatch_airflow.operators.run import FlinkDispatchRunOperator


def _operator(**options: Any) -> FlinkDispatchRunOperator:
    return FlinkDispatchRunOperator(task_id="run", **{**INSTALLATION, "run_job": "nightly", "retries": 2, **options})


class FakeTask(SimpleNamespace):
    """A task instance: a new try, or one that was cleared."""

    def __init__(self, max_tries: int = 2, **changes: Any) -> None:
        names = {"dag_id": "etl", "run_id": "manual", "task_id": "run", "map_index": -1}
        super().__init__(**{**names, "max_tries": max_tries, "pushed": {}, **changes})

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def _deferral(operator: FlinkDispatchRunOperator, ti: FakeTask | None = None) -> dict[str, Any]:
    """What its trigger knows."""
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({"ti": ti or FakeTask()})
    assert deferred.value.method_name == "execute_complete"
    assert deferred.value.timeout is None
    return deferred.value.trigger.serialize()[1]


def test_a_run_is_asked_for_once_and_waited_for(aws: Any) -> None:
    ti = FakeTask()
    waiting = _deferral(_operator(spec={"job": {"args": ["--day", "1"]}}, tag="daily"), ti)
    key = "airflow/etl/manual/run/-1/1/1"
    spec = {"job": {"args": ["--day", "1"]}}
    assert aws.bodies == [{"runJob": "nightly", "spec": spec, "tag": "daily", "idempotencyKey": key}]
    assert ti.pushed == {"run_id": waiting["run_id"]}


def test_a_further_try_goes_on_with_the_run_that_is_there(aws: Any, record: Any) -> None:
    run_id = _deferral(_operator())["run_id"]
    assert _deferral(_operator())["run_id"] == run_id
    assert aws.bodies[0] == aws.bodies[1]
    aws.records[run_id] = record("waiting", waiting={"reason": "QuotaExceeded", "message": "no room"})
    assert _deferral(_operator())["run_id"] == run_id
    aws.records[run_id] = record("succeeded")
    assert _operator().execute({"ti": FakeTask()})["state"] == "succeeded"
    aws.records[run_id] = record("failed", "JobFailed")
    with pytest.raises(AirflowFailException):
        _operator().execute({"ti": FakeTask()})
    assert len(aws.sent) == 2


@pytest.mark.parametrize(
    "end",
    [("failed", "PodEvicted"), ("rejected", "StorageUnavailable"), ("canceled", "JobCanceled"), ("running", "")],
)
def test_a_further_try_starts_another_run_after_one_that_was_given_up(aws: Any, record: Any, end: Any) -> None:
    run_id = _deferral(_operator())["run_id"]
    aws.records[run_id] = record(*end, **({"cancelRequested": {}} if end[0] == "running" else {}))
    again = _deferral(_operator())["run_id"]
    assert again != run_id
    assert aws.bodies[-1]["idempotencyKey"] == "airflow/etl/manual/run/-1/1/2"
    assert _deferral(_operator())["run_id"] == again


def test_a_task_that_was_cleared_runs_again(aws: Any, record: Any) -> None:
    run_id = _deferral(_operator())["run_id"]
    aws.records[run_id] = record("succeeded")
    assert _deferral(_operator(), FakeTask(max_tries=3))["run_id"] != run_id
    assert aws.bodies[-1]["idempotencyKey"] == "airflow/etl/manual/run/-1/2/1"


def _end(operator: FlinkDispatchRunOperator, status: str = "ended", message: str | None = None) -> Any:
    event = {"run_id": "0123456789abcdef0123", "status": status, "message": message}
    return operator.execute_complete({"ti": FakeTask()}, event)


def test_a_success_is_the_data_of_the_completion_event(aws: Any, record: Any) -> None:
    run = record("succeeded")
    run["outcome"]["accumulators"] = {"orders": "1000"}
    aws.records[run["runId"]] = run
    data = _end(_operator())
    assert (data["state"], data["accumulators"], data["duration"]) == ("succeeded", {"orders": "1000"}, 1000)
    assert data["record"] == f"s3://{BUCKET}/runs/{run['runId']}/record.json"


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (("failed", "JobFailed"), AirflowFailException),
        (("failed", "PodEvicted"), AirflowException),
        (("failed", "OfALaterVersion"), AirflowException),
        (("rejected", "NotAllowed"), AirflowFailException),
        (("canceled", "JobCanceled"), AirflowFailException),
        (("unknown", "JobLost"), AirflowFailException),
        (("skipped", "ConcurrencyForbidden"), AirflowSkipException),
    ],
)
def test_any_other_end_is_an_error_that_names_it(aws: Any, record: Any, end: Any, error: type[Exception]) -> None:
    run = record(*end)
    aws.records[run["runId"]] = run
    with pytest.raises(AirflowException, match=f"run {run['runId']} {end[0]}: {end[1]}: so it is") as raised:
        _end(_operator())
    assert type(raised.value) is error


def test_a_wait_that_comes_to_nothing_is_told(aws: Any, record: Any) -> None:
    with pytest.raises(AirflowException, match=r"not accepted in time: AccessDenied.*dead-letters"):
        _end(_operator(), "not-accepted", "AccessDenied")
    with pytest.raises(
        AirflowException, match="nothing is known of run 0123456789abcdef0123, which may go on: SlowDown"
    ):
        _end(_operator(), "unreadable", "SlowDown")
    assert aws.sent == []


def test_a_run_is_canceled_after_the_execution_timeout(aws: Any, record: Any) -> None:
    run = record("running")
    aws.records[run["runId"]] = run
    operator = _operator(execution_timeout=timedelta(minutes=5))
    with pytest.raises(AirflowException, match="execution_timeout"):
        _end(operator, "timed-out")
    assert aws.bodies == [{"cancelRun": run["runId"]}]
    waiting = _deferral(operator)
    assert waiting["until"] - waiting["accept_until"] == pytest.approx(-600, abs=1)


def test_a_worker_that_is_killed_cancels_what_it_has_started(aws: Any) -> None:
    idle = _operator()
    idle.on_kill()
    assert aws.sent == []
    operator = _operator()
    run_id = _deferral(operator)["run_id"]
    operator.on_kill()
    assert aws.bodies[-1] == {"cancelRun": run_id}
    kept = _operator(cancel_on_kill=False)
    _deferral(kept)
    kept.on_kill()
    assert sum("cancelRun" in body for body in aws.bodies) == 1


def test_something_to_run_is_needed(aws: Any) -> None:
    with pytest.raises(AirflowFailException, match="run_job or spec"):
        _operator(run_job=None).execute({"ti": FakeTask()})
