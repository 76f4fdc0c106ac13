"""A run's record in the ledger bucket (`runs/<id>/record.json`), version 1, as far as a task needs it."""

from __future__ import annotations

import json
from typing import Any

from flink_dispatch_airflow.reasons import REASON_CLASSES

_SITUATIONS = ("accepted", "waiting", "running")


class RunRecord:
    """What is on record of one run."""

    def __init__(self, text: str | bytes) -> None:
        self.content: dict[str, Any] = json.loads(text)
        version = self.content.get("version")
        if version != 1:
            raise ValueError(f"the record has version {version}, and this provider knows 1: use a newer provider")

    @property
    def outcome(self) -> dict[str, Any] | None:
        """How it ended. Once it is there it stays as it is."""
        return self.content.get("outcome")

    @property
    def state(self) -> str:
        """Its outcome once it has one, in the words of `flink-dispatch runs list`."""
        if self.outcome is not None:
            return self.outcome["state"]
        state = self.content["state"]
        return state if state in _SITUATIONS else "starting"

    @property
    def situation(self) -> str:
        """Where it is, for a log."""
        waiting = self.content.get("waiting")
        if waiting is not None and self.outcome is None:
            return f"{self.state}: {waiting['reason']}: {waiting['message']}"
        attempt = len(self.content["attempts"])
        return self.state if attempt < 2 else f"{self.state}, attempt {attempt}"

    @property
    def reason_class(self) -> str | None:
        """Who has to act; None for a reason that is newer than this provider."""
        return None if self.outcome is None else REASON_CLASSES.get(self.outcome["reason"])

    @property
    def may_succeed_next_time(self) -> bool:
        """Whether it failed for a reason that is not the request's, the jar's or the job's."""
        return self.state in ("failed", "rejected") and self.reason_class != "user"

    @property
    def is_given_up(self) -> bool:
        """Whether another try of the task is to start another run, in place of taking this one's end for its own."""
        if self.outcome is None:
            return "cancelRequested" in self.content
        return self.state == "canceled" or self.may_succeed_next_time
