"""Runs a Flink job as a task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar

from airflow.sdk import BaseOperator

from flink_dispatch_airflow.compat import AirflowException, AirflowFailException, AirflowSkipException
from flink_dispatch_airflow.event import event_data
from flink_dispatch_airflow.hooks.dispatch import FlinkDispatchHook
from flink_dispatch_airflow.identity import TaskIdentity, idempotency_key, job_of
from flink_dispatch_airflow.record import RunRecord
from flink_dispatch_airflow.triggers.run import FlinkDispatchRunTrigger


class FlinkDispatchRunOperator(BaseOperator):
    """
    Starts a run and ends as the run does. While the run waits and goes on, the task is deferred: a trigger waits.

    The run belongs to the task of its DAG run: a try that finds it alive, or succeeded, goes on with it. A further try
    after a failure that another attempt may mend, and a task that was cleared, start another run.

    On success the `data` of the run's completion event is pushed to XCom; `run_id` is pushed at the start.

    :param queue_url: the stack's output MessageQueueUrl, or the queue of a tenant
    :param ledger_bucket: the stack's output LedgerBucketName
    :param run_job: a stored job
    :param spec: what differs from the stored job, or a whole spec
    :param tag: for `flink-dispatch runs list --tag`
    :param tenant: whose queue it is, in an installation with tenants
    :param aws_conn_id: an AWS connection of Airflow, which needs apache-airflow-providers-amazon; by default boto3
        finds credentials by itself
    :param region_name: by default that of the queue's URL
    :param poll_interval: seconds between two looks at the run
    :param accept_timeout: how long the run may take to be accepted
    :param cancel_on_kill: whether the run is canceled when the task is marked, cleared, killed or timed out
    :param key_prefix: tells apart several Airflows that send to one queue
    """

    template_fields: Sequence[str] = ("queue_url", "ledger_bucket", "run_job", "spec", "tag", "tenant")
    template_fields_renderers: ClassVar[dict[str, str]] = {"spec": "json"}
    ui_color = "#fbe3e8"

    def __init__(
        self,
        *,
        queue_url: str,
        ledger_bucket: str,
        run_job: str | None = None,
        spec: dict[str, Any] | None = None,
        tag: str | None = None,
        tenant: str | None = None,
        aws_conn_id: str | None = None,
        region_name: str | None = None,
        poll_interval: float = 10,
        accept_timeout: timedelta = timedelta(minutes=15),
        cancel_on_kill: bool = True,
        key_prefix: str = "airflow",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.queue_url = queue_url
        self.ledger_bucket = ledger_bucket
        self.run_job = run_job
        self.spec = spec
        self.tag = tag
        self.tenant = tenant
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.poll_interval = poll_interval
        self.accept_timeout = accept_timeout
        self.cancel_on_kill = cancel_on_kill
        self.key_prefix = key_prefix
        self._started: str | None = None

    def execute(self, context: Any) -> Any:
        """Starts the run, or joins it, and defers."""
        if self.run_job is None and self.spec is None:
            raise AirflowFailException("run_job or spec is needed: a stored job's name, or a job spec")
        hook = self._hook()
        key, run_id, record = self._chosen(context["ti"], hook)
        self._started = run_id
        context["ti"].xcom_push(key="run_id", value=run_id)
        if record is None:
            hook.start(run_id, self._message(key))
            self.log.info("asked for run %s", run_id)
        else:
            self.log.info("run %s is %s, and this task goes on with it", run_id, record.situation)
        self.log.info("flink-dispatch runs show %s --ledger %s", run_id, self.ledger_bucket)
        if record is not None and record.outcome is not None:
            return self._concluded(record)
        self.defer(trigger=self._trigger(run_id), method_name="execute_complete")

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Ends as the run did."""
        run_id, status = event["run_id"], event["status"]
        hook = self._hook()
        record = hook.record(run_id)
        if record is not None and record.outcome is not None:
            return self._concluded(record)
        told = "" if event["message"] is None else f": {event['message']}"
        if status == "timed-out":
            self._cancel(hook, run_id)
            raise AirflowException(f"run {run_id} had not ended within the task's execution_timeout")
        if status == "not-accepted":
            raise AirflowException(
                f"run {run_id} was not accepted in time{told}. Look into the dead letters (flink-dispatch dead-letters "
                "list); queue_url, region and tenant have to be those of the installation, the credentials need "
                f"s3:GetObject on runs/*/record.json of {self.ledger_bucket}, and a stream that keeps its state is no "
                "run of a task"
            )
        raise AirflowException(f"nothing is known of run {run_id}, which may go on{told}")

    def on_kill(self) -> None:
        """Of a worker that has just started the run. A deferred task's kill comes to the trigger."""
        if self._started is not None:
            self._cancel(self._hook(), self._started)

    def _cancel(self, hook: FlinkDispatchHook, run_id: str) -> None:
        if self.cancel_on_kill and hook.cancel(run_id):
            self.log.info("run %s is told to end", run_id)

    def _chosen(self, ti: Any, hook: FlinkDispatchHook) -> tuple[str, str, RunRecord | None]:
        """The first run of this task that was not given up, or the next one."""
        # Retries add nothing to max_tries, and to clear the task does.
        first_try = ti.max_tries - (self.retries or 0) + 1
        task = TaskIdentity(ti.dag_id, ti.run_id, ti.task_id, ti.map_index, first_try)
        job = job_of(self.run_job, self.spec)
        for start in count(1):
            key = idempotency_key(self.key_prefix, task, start)
            run_id = hook.run_id(job, key)
            record = hook.record(run_id)
            if record is None or not record.is_given_up:
                return key, run_id, record
            self.log.info("run %s is %s: this try is another run", run_id, record.situation)
        raise AssertionError("unreachable")

    def _message(self, key: str) -> dict[str, Any]:
        named = {"runJob": self.run_job, "spec": self.spec, "tag": self.tag, "idempotencyKey": key}
        return {name: value for name, value in named.items() if value is not None}

    def _trigger(self, run_id: str) -> FlinkDispatchRunTrigger:
        now = time.time()
        return FlinkDispatchRunTrigger(
            run_id=run_id,
            queue_url=self.queue_url,
            ledger_bucket=self.ledger_bucket,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            poll_interval=self.poll_interval,
            accept_until=now + self.accept_timeout.total_seconds(),
            # Airflow bounds what runs on a worker, and not the time that a task is deferred.
            until=None if self.execution_timeout is None else now + self.execution_timeout.total_seconds(),
            cancel_on_kill=self.cancel_on_kill,
        )

    def _hook(self) -> FlinkDispatchHook:
        return FlinkDispatchHook(
            self.queue_url,
            self.ledger_bucket,
            tenant=self.tenant,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
        )

    def _concluded(self, record: RunRecord) -> dict[str, Any]:
        """Raises for a run that has not succeeded."""
        data = event_data(record.content, self.ledger_bucket)
        if record.state == "succeeded":
            return data
        text = f"run {data['runId']} {record.state}: {data['reason']}: {data['message']}"
        if data.get("todo") not in (None, "Nothing."):
            text = f"{text} ({data['todo']})"
        if record.state == "skipped":
            raise AirflowSkipException(text)
        if record.may_succeed_next_time:
            raise AirflowException(text)
        raise AirflowFailException(text)
