"""Waiting, being moved to another triggerer, and being killed."""

from __future__ import annotations

import asyncio
import json
import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from conftest import INSTALLATION

from flink_dispatch_airflow.triggers import run as module
from flink_dispatch_airflow.triggers.run import FlinkDispatchRunTrigger

RUN = "0123456789abcdef0123"


def _trigger(**options: Any) -> FlinkDispatchRunTrigger:
    given = {
        **INSTALLATION,
        "run_id": RUN,
        "aws_conn_id": None,
        "region_name": None,
        "poll_interval": 0,
        "accept_until": time.time() + 60,
        "until": None,
        "cancel_on_kill": True,
    }
    return FlinkDispatchRunTrigger(**{**given, **options})


def _elsewhere(trigger: FlinkDispatchRunTrigger) -> FlinkDispatchRunTrigger:
    """As another triggerer makes it of what the database has."""
    path, known = trigger.serialize()
    name, attribute = path.rsplit(".", 1)
    return getattr(import_module(name), attribute)(**known)


async def _fired(trigger: FlinkDispatchRunTrigger) -> dict[str, Any]:
    return (await anext(trigger.run())).payload


def _looks(monkeypatch: pytest.MonkeyPatch, trigger: FlinkDispatchRunTrigger, looks: list[Any]) -> None:
    """What each look at the record gives."""
    left = iter(looks)

    def look(_run_id: str) -> Any:
        one = next(left)
        if isinstance(one, Exception):
            raise one
        return None if one is None else module.RunRecord(json.dumps(one))

    monkeypatch.setattr(trigger._hook, "record", look)


def test_it_fires_at_the_end_of_the_run(monkeypatch: pytest.MonkeyPatch, record: Any) -> None:
    trigger = _elsewhere(_trigger())
    looks = [None, record("accepted"), OSError("no route"), record("running"), record("succeeded")]
    _looks(monkeypatch, trigger, looks)
    assert asyncio.run(_fired(trigger)) == {"run_id": RUN, "status": "ended", "message": None}


def test_it_is_the_same_in_another_triggerer() -> None:
    trigger = _trigger(until=time.time() + 5, aws_conn_id="aws", region_name="eu-central-1", cancel_on_kill=False)
    assert _elsewhere(trigger).serialize() == trigger.serialize()


def test_it_does_not_wait_for_ever(aws: Any, record: Any) -> None:
    aws.error = "AccessDenied"
    late = time.time() - 1
    fired = asyncio.run(_fired(_trigger(accept_until=late)))
    assert fired["status"] == "not-accepted" and "AccessDenied" in fired["message"]
    aws.records[RUN] = record("running")
    assert asyncio.run(_fired(_trigger(accept_until=late, until=late)))["status"] == "timed-out"


def test_it_gives_up_a_ledger_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = _trigger()
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0)
    _looks(monkeypatch, trigger, [OSError("no route")])
    assert asyncio.run(_fired(trigger)) == {"run_id": RUN, "status": "unreadable", "message": "no route"}


def test_the_loop_goes_on_while_a_look_takes_its_time(monkeypatch: pytest.MonkeyPatch, record: Any) -> None:
    trigger = _trigger()
    loop_goes_on = asyncio.Event()

    def look(_run_id: str) -> Any:
        # Comes back only when the loop has done something else meanwhile.
        asyncio.run_coroutine_threadsafe(_set(loop_goes_on), loops[0]).result(timeout=20)
        return module.RunRecord(json.dumps(record("succeeded")))

    loops: list[asyncio.AbstractEventLoop] = []

    async def fired() -> dict[str, Any]:
        loops.append(asyncio.get_running_loop())
        return await _fired(trigger)

    monkeypatch.setattr(trigger._hook, "record", look)
    assert asyncio.run(fired())["status"] == "ended"
    assert loop_goes_on.is_set()


async def _set(event: asyncio.Event) -> None:
    event.set()


def test_a_kill_cancels_the_run_unless_it_is_to_go_on(aws: Any, record: Any) -> None:
    aws.records[RUN] = record("running")
    asyncio.run(_trigger(cancel_on_kill=False).on_kill())
    assert aws.sent == []
    asyncio.run(_trigger().on_kill())
    assert aws.bodies == [{"cancelRun": RUN}]


@pytest.mark.parametrize(
    ("state", "map_index", "is_canceled"),
    [("deferred", -1, False), ("failed", -1, True), (None, -1, True), ("deferred", 3, False), ("error", -1, False)],
)
def test_before_airflow_3_3_a_kill_is_known_by_the_state_of_the_task(
    aws: Any, record: Any, monkeypatch: pytest.MonkeyPatch, state: str | None, map_index: int, is_canceled: bool
) -> None:
    aws.records[RUN] = record("running")
    trigger = _trigger(poll_interval=600)
    ti = SimpleNamespace(dag_id="etl", run_id="manual", task_id="run", map_index=map_index)
    trigger.task_instance = ti  # type: ignore[assignment]
    monkeypatch.setattr(module, "TRIGGERS_ARE_TOLD_OF_KILLS", False)

    def states(**asked: Any) -> dict[str, Any]:
        assert asked == {"dag_id": "etl", "task_ids": ["run"], "run_ids": ["manual"], "map_index": map_index}
        if state == "error":
            raise OSError("the triggerer stops")
        return {"manual": {"run" if map_index < 0 else f"run_{map_index}": state}}

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(states))
    asyncio.run(_cancelled(trigger, monkeypatch))
    assert aws.bodies == ([{"cancelRun": RUN}] if is_canceled else [])


async def _cancelled(trigger: FlinkDispatchRunTrigger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it waits for its next look."""
    waits = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        waits.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    task = asyncio.ensure_future(_fired(trigger))
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
