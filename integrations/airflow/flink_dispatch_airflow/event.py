"""The `data` of a run's completion event (docs/schemas/run-event.v1.json), made of its record."""

from __future__ import annotations

from datetime import datetime, timezone
from math import floor
from typing import Any

from flink_dispatch_airflow.reasons import REASON_CLASSES, REASON_TODOS

_MOST_FINDINGS = 20
_MOST_ITEMS = 60
_SAME = ("message", "rootException", "stackTrace", "field", "flinkState", "accumulators")


def event_data(record: dict[str, Any], bucket: str) -> dict[str, Any]:
    """
    Of a run that has its outcome. It says what the event says, save `left`, and cuts nothing: a record's texts have
    their secrets hidden, and limits of their own.
    """
    last = record["events"][-1]
    attempt = next((one for one in record["attempts"] if one["number"] == last.get("attempt")), None)
    job = record.get("job")
    outcome = record["outcome"]
    return {
        "runId": record["runId"],
        **_known(record, "tenant"),
        "name": record["name"],
        "sequence": last["sequence"],
        "state": outcome["state"],
        "createdAt": _iso(record["createdAt"]),
        **_end_facts(record["createdAt"], outcome),
        **({} if job is None else _job_facts(job)),
        **({} if attempt is None else _attempt_facts(attempt, job)),
        "evidence": _evidence(record, last, bucket),
        **_snapshot(record),
        "request": _request(record["source"]),
        "record": f"s3://{bucket}/runs/{record['runId']}/record.json",
    }


def _end_facts(created_at: float, outcome: dict[str, Any]) -> dict[str, Any]:
    reason = outcome["reason"]
    facts: dict[str, Any] = {"reason": reason, **_known(outcome, *_SAME)}
    if reason in REASON_CLASSES:
        facts.update(reasonClass=REASON_CLASSES[reason], todo=REASON_TODOS[reason])
    facts.update(endedAt=_iso(outcome["at"]), duration=_span(outcome["at"] - created_at))
    if "jobDuration" in outcome:
        facts["jobDuration"] = _span(outcome["jobDuration"])
    if "jobs" in outcome:
        facts["jobs"] = [_job(job) for job in outcome["jobs"]]
    return facts


def _job(job: dict[str, Any]) -> dict[str, Any]:
    return {
        **_known(job, "id", "name", "state", "accumulators"),
        **({"startedAt": _iso(job["startedAt"])} if "startedAt" in job else {}),
        **({"duration": _span(job["duration"])} if "duration" in job else {}),
    }


def _job_facts(job: dict[str, Any]) -> dict[str, Any]:
    options = job["options"]
    image = options.get("kubernetes.container.image.ref", options.get("kubernetes.container.image"))
    return {
        **_known(job, "target", "namespace", "flinkVersion"),
        **({} if image is None else {"image": image}),
        "jar": job["jar"]["uri"],
    }


def _attempt_facts(attempt: dict[str, Any], job: dict[str, Any] | None) -> dict[str, Any]:
    running_at = attempt.get("runningAt")
    has_id = running_at is not None or job is None or job["mode"] == "session" or "state" in job
    return {
        "attempt": attempt["number"],
        "clusterId": attempt["clusterId"],
        **({"jobId": attempt["jobId"]} if has_id else {}),
        **({} if running_at is None else {"startedAt": _iso(running_at)}),
        **({"restoredFrom": _state(attempt["restoredFrom"])} if "restoredFrom" in attempt else {}),
    }


def _snapshot(record: dict[str, Any]) -> dict[str, Any]:
    attempts = record["attempts"]
    return {"snapshot": _state(attempts[-1]["snapshot"])} if attempts and "snapshot" in attempts[-1] else {}


def _state(snapshot: dict[str, Any]) -> dict[str, Any]:
    told = _known(snapshot, "kind", "path", "format", "checkpointId", "run", "bytes")
    return told if "at" not in snapshot else {**told, "at": _iso(snapshot["at"])}


def _evidence(record: dict[str, Any], last: dict[str, Any], bucket: str) -> dict[str, Any]:
    prefix = f"s3://{bucket}/runs/{record['runId']}/evidence/"
    items = [
        {"attempt": attempt["number"], "name": name, "uri": f"{prefix}{attempt['number']}/{name}"}
        for attempt in record["attempts"]
        if "attempt" in last and attempt["number"] <= last["attempt"]
        for name in attempt.get("artifacts", [])
    ]
    return {
        "prefix": prefix,
        "findings": record["outcome"]["evidence"][:_MOST_FINDINGS],
        "items": items[-_MOST_ITEMS:],
    }


def _request(source: dict[str, Any]) -> dict[str, Any]:
    """A task's runs come by message; whoever sent the same message before is shown as they came."""
    return _known(source, "kind", "queueArn", "messageId", "idempotencyKey")


def _known(source: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: source[name] for name in names if name in source}


def _iso(at: float) -> str:
    moment = datetime.fromtimestamp(_rounded(at) / 1000, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _span(milliseconds: float) -> int:
    """Clocks differ: a job may end "before" it was accepted."""
    return max(0, _rounded(milliseconds))


def _rounded(number: float) -> int:
    return floor(number + 0.5)
