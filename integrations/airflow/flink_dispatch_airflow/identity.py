"""Which run a task means: the same arithmetic as the dispatcher's, so that a run is found without a list of runs."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple
from urllib.parse import quote

MOST_KEY_LENGTH = 256


class TaskIdentity(NamedTuple):
    """What of a task instance stays the same while it is tried again, deferred and resumed."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    #: The number of the first try since it was cleared last. A task that is cleared is to run again.
    first_try: int


def idempotency_key(prefix: str, task: TaskIdentity, start: int) -> str:
    """
    Of one start of a task's job. The parts are quoted, so that no two tasks have one key.

    :param prefix: tells apart the Airflows that send to one queue
    :param start: from 1; the next one follows a start that came to nothing
    """
    parts = (prefix, task.dag_id, task.run_id, task.task_id, str(task.map_index), str(task.first_try), str(start))
    key = "/".join(quote(part, safe="") for part in parts)
    if len(key) <= MOST_KEY_LENGTH:
        return key
    return f"sha256/{hashlib.sha256(key.encode()).hexdigest()}"


def run_id_for(queue_arn: str, job: str, key: str, tenant: str | None) -> str:
    """The id of the run that a message with this key is; see "A message" in docs/job-spec.md."""
    identity = _json(["sqs", queue_arn, "key", job, key])
    if tenant is not None:
        identity = _json(["tenant", tenant, identity])
    return hashlib.sha256(f"run\n{identity}".encode()).hexdigest()[:20]


def job_of(run_job: str | None, spec: dict[str, Any] | None) -> str:
    """Whose a key is: the stored job's, else that of the spec's name."""
    if run_job is not None:
        return run_job
    metadata = (spec or {}).get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if name is None:
        name = (spec or {}).get("name")
    return name if isinstance(name, str) else ""


def _json(value: Any) -> str:
    """As JavaScript writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
