"""Waits in the triggerer for the end of a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from flink_dispatch_airflow.compat import TRIGGERS_ARE_TOLD_OF_KILLS
from flink_dispatch_airflow.hooks.dispatch import FlinkDispatchHook
from flink_dispatch_airflow.record import RunRecord

_PATIENCE_SECONDS = 900


class FlinkDispatchRunTrigger(BaseTrigger):
    """
    Fires once the run has its outcome. All that it knows is in `serialize`, and times are points in time, so that any
    triggerer may go on with it at any moment.

    Its event has the `run_id` and a `status`: `ended`; `not-accepted`, when there was no record until `accept_until`;
    `timed-out`, when the run had not ended until `until`; `unreadable`, when the ledger could not be read for 15
    minutes.
    """

    def __init__(
        self,
        *,
        run_id: str,
        queue_url: str,
        ledger_bucket: str,
        aws_conn_id: str | None,
        region_name: str | None,
        poll_interval: float,
        accept_until: float,
        until: float | None,
        cancel_on_kill: bool,
    ) -> None:
        super().__init__()
        self.run_id = run_id
        self.queue_url = queue_url
        self.ledger_bucket = ledger_bucket
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.poll_interval = poll_interval
        self.accept_until = accept_until
        self.until = until
        self.cancel_on_kill = cancel_on_kill
        self._hook = FlinkDispatchHook(queue_url, ledger_bucket, aws_conn_id=aws_conn_id, region_name=region_name)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Whatever another triggerer needs to go on."""
        return (
            "flink_dispatch_airflow.triggers.run.FlinkDispatchRunTrigger",
            {
                "run_id": self.run_id,
                "queue_url": self.queue_url,
                "ledger_bucket": self.ledger_bucket,
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "poll_interval": self.poll_interval,
                "accept_until": self.accept_until,
                "until": self.until,
                "cancel_on_kill": self.cancel_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Looks at the record every `poll_interval` seconds."""
        try:
            yield TriggerEvent(await self._end())
        except asyncio.CancelledError:
            # Before 3.3 a triggerer that stops and a user that kills the task look the same.
            if not TRIGGERS_ARE_TOLD_OF_KILLS and await self._is_killed():
                await self.on_kill()
            raise

    async def on_kill(self) -> None:
        """A user has marked the task, or cleared it. A triggerer that stops does not come here."""
        if not self.cancel_on_kill:
            self.log.info("run %s goes on: cancel_on_kill is off", self.run_id)
            return
        is_asked = await _in_thread(self._hook.cancel, self.run_id)
        self.log.info("run %s %s", self.run_id, "is told to end: its task was killed" if is_asked else "has ended")

    async def _end(self) -> dict[str, Any]:
        situation: str | None = None
        failing_since: float | None = None
        while True:
            # First of all: a task that is resumed before its worker's process is gone may be taken for a lost one.
            await asyncio.sleep(self.poll_interval)
            now = time.time()
            try:
                record = await _in_thread(self._hook.record, self.run_id)
            except Exception as error:
                failing_since = failing_since or now
                self.log.warning("the record of run %s cannot be read: %s", self.run_id, error)
                if now - failing_since >= _PATIENCE_SECONDS:
                    return self._event("unreadable", str(error))
            else:
                failing_since = None
                if record is not None and record.situation != situation:
                    situation = record.situation
                    self.log.info("run %s is %s", self.run_id, situation)
                event = self._judged(record, now)
                if event is not None:
                    return event

    def _judged(self, record: RunRecord | None, now: float) -> dict[str, Any] | None:
        if record is not None and record.outcome is not None:
            return self._event("ended")
        if record is None and now >= self.accept_until:
            return self._event("not-accepted", self._hook.denied)
        if self.until is not None and now >= self.until:
            return self._event("timed-out")
        return None

    def _event(self, status: str, message: str | None = None) -> dict[str, Any]:
        return {"run_id": self.run_id, "status": status, "message": message}

    async def _is_killed(self) -> bool:
        """Whether somebody did something to the task: it is not deferred any more."""
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        ti = self.task_instance
        if ti is None:
            return False
        try:
            states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
                dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
            )
        except Exception as error:
            self.log.warning("run %s is not canceled: the state of its task is not known: %s", self.run_id, error)
            return False
        of_run = states.get(ti.run_id, {})
        name = ti.task_id if ti.map_index < 0 else f"{ti.task_id}_{ti.map_index}"
        return bool(of_run.get(name) != "deferred")


async def _in_thread(work: Any, *arguments: Any) -> Any:
    """Beside the triggerer's loop; Airflow can still be asked for a connection there."""
    return await sync_to_async(work, thread_sensitive=False)(*arguments)
