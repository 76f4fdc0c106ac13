"""What a task asks of a flink-dispatch installation: to start a run, to cancel it, and how it is."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from flink_dispatch_airflow.clients import client_of
from flink_dispatch_airflow.identity import run_id_for
from flink_dispatch_airflow.queue_address import QueueAddress
from flink_dispatch_airflow.record import RunRecord

_ABSENT = ("NoSuchKey", "404")
#: S3 says so of an object that is not there to whoever may not list the bucket.
_DENIED = ("AccessDenied", "403")
#: An order to a run that is not accepted yet would be refused.
_CANCEL_DELAY_SECONDS = 60


class FlinkDispatchHook:
    """
    Sends messages to the queue and reads records: `sqs:SendMessage` and `s3:GetObject` on `runs/*/record.json`.

    Every method blocks. It may be called from several threads.
    """

    def __init__(
        self,
        queue_url: str,
        ledger_bucket: str,
        *,
        tenant: str | None = None,
        aws_conn_id: str | None = None,
        region_name: str | None = None,
    ) -> None:
        self.queue = QueueAddress.parse(queue_url)
        self.ledger_bucket = ledger_bucket
        self.tenant = tenant
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name or self.queue.region
        #: What S3 said last where it would not say whether there is a record.
        self.denied: str | None = None

    @cached_property
    def _sqs(self) -> Any:
        return client_of("sqs", aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    @cached_property
    def _s3(self) -> Any:
        return client_of("s3", aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    def run_id(self, job: str, key: str) -> str:
        """Of the run that a message with this key is, whether or not it was ever sent."""
        meta = self._sqs.meta
        return run_id_for(self.queue.arn(meta.partition, meta.region_name), job, key, self.tenant)

    def record(self, run_id: str) -> RunRecord | None:
        """None while there is none, and where the rights do not suffice to tell."""
        try:
            answer = self._s3.get_object(Bucket=self.ledger_bucket, Key=f"runs/{run_id}/record.json")
            content = answer["Body"].read()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code not in _ABSENT + _DENIED:
                raise
            self.denied = str(error) if code in _DENIED else None
            return None
        self.denied = None
        return RunRecord(content)

    def start(self, run_id: str, message: dict[str, Any]) -> None:
        """The same message again is the same run."""
        self._send(message, run_id, "start")

    def cancel(self, run_id: str) -> bool:
        """
        Orders the run to end; it may take a minute where the run is not accepted yet. Answers whether there was
        anything to cancel. The same order again is no error.
        """
        record = self.record(run_id)
        if record is not None and record.outcome is not None:
            return False
        self._send({"cancelRun": run_id}, run_id, "cancel", 0 if record is not None else _CANCEL_DELAY_SECONDS)
        return True

    def _send(self, message: dict[str, Any], run_id: str, kind: str, delay_seconds: int = 0) -> None:
        # In a FIFO queue an order comes behind the request, so that it need not wait for it.
        more: dict[str, Any] = {"DelaySeconds": delay_seconds}
        if self.queue.is_fifo:
            more = {"MessageGroupId": run_id, "MessageDeduplicationId": f"{run_id}-{kind}"}
        self._sqs.send_message(QueueUrl=self.queue.url, MessageBody=json.dumps(message), **more)
