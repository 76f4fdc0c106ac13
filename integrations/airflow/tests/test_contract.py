"""The files that the dispatcher's own tests write: what it makes of a message, and what it announces of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flink_dispatch_airflow.event import event_data
from flink_dispatch_airflow.identity import job_of, run_id_for
from flink_dispatch_airflow.record import RunRecord


def _contract(name: str) -> list[dict[str, Any]]:
    return json.loads(Path(__file__).with_name("contract").joinpath(name).read_text("utf-8"))


@pytest.mark.parametrize("sent", _contract("run-ids.json"))
def test_a_message_is_the_run_that_the_dispatcher_makes_of_it(sent: dict[str, Any]) -> None:
    body = sent["body"]
    job = job_of(body.get("runJob"), body.get("spec"))
    assert run_id_for(sent["queueArn"], job, body["idempotencyKey"], sent["tenant"]) == sent["runId"]


@pytest.mark.parametrize("completion", _contract("completions.json"))
def test_a_record_gives_the_data_of_its_completion_event(completion: dict[str, Any]) -> None:
    record = RunRecord(json.dumps(completion["record"]))
    assert event_data(record.content, completion["bucket"]) == completion["data"]
    assert record.state == completion["data"]["state"]
    assert record.reason_class == completion["data"]["reasonClass"]
