"""A dispatcher that is a dictionary: what was sent, and what is on record."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flink_dispatch_airflow.hooks import dispatch

QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/flink-dispatch-prod-messages"
QUEUE_ARN = "arn:aws:sqs:eu-central-1:111122223333:flink-dispatch-prod-messages"
BUCKET = "ledger"
INSTALLATION = {"queue_url": QUEUE_URL, "ledger_bucket": BUCKET}


class FakeAws:
    """The two clients that a hook asks for."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.records: dict[str, Any] = {}
        self.error = "NoSuchKey"
        self.meta = SimpleNamespace(partition="aws", region_name="eu-central-1")

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == BUCKET
        run_id = Key.removeprefix("runs/").removesuffix("/record.json")
        if run_id not in self.records:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "GetObject")
        return {"Body": io.BytesIO(json.dumps(self.records[run_id]).encode())}

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was sent, as the dispatcher reads it."""
        return [json.loads(message["MessageBody"]) for message in self.sent]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """In place of every client."""
    fake = FakeAws()
    monkeypatch.setattr(dispatch, "client_of", lambda *_names, **_options: fake)
    return fake


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """Makes a record, with an outcome where its state is one."""

    def make(state: str, reason: str = "JobFinished", **changes: Any) -> dict[str, Any]:
        made: dict[str, Any] = {
            "version": 1,
            "runId": "0123456789abcdef0123",
            "name": "nightly",
            "state": state,
            "source": {"kind": "message", "queueArn": QUEUE_ARN, "messageId": "m"},
            "createdAt": 1_795_000_000_000,
            "attempts": [],
            "events": [{"sequence": 1, "type": "accepted", "time": 1_795_000_000_000}],
            **changes,
        }
        if state not in ("accepted", "waiting", "launching", "starting", "running"):
            outcome = {"state": state, "reason": reason, "message": "so it is", "at": 1_795_000_001_000, "evidence": []}
            made.update(state="ended", outcome=outcome)
            made["events"].append({"sequence": 2, "type": "completed", "time": 1_795_000_001_000})
        return made

    return make
