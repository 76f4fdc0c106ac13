"""What is sent, what is read, and by which right."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import BUCKET, INSTALLATION, QUEUE_URL

from flink_dispatch_airflow import clients
from flink_dispatch_airflow.compat import AirflowFailException
from flink_dispatch_airflow.hooks.dispatch import FlinkDispatchHook
from flink_dispatch_airflow.queue_address import QueueAddress

RUN = "0123456789abcdef0123"


def test_a_queue_is_known_by_its_url() -> None:
    queue = QueueAddress.parse(QUEUE_URL)
    assert (queue.account, queue.name, queue.region) == ("111122223333", "flink-dispatch-prod-messages", "eu-central-1")
    assert QueueAddress.parse("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q").region == "cn-north-1"
    own = QueueAddress.parse("http://127.0.0.1:4566/000000000000/q.fifo")
    assert own.region is None and own.is_fifo
    for wrong in ("", "flink-dispatch-prod-messages", "arn:aws:sqs:eu-central-1:1:q", f"{QUEUE_URL}/more"):
        with pytest.raises(ValueError, match="MessageQueueUrl"):
            QueueAddress.parse(wrong)


def test_real_clients_say_which_queue_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    hook = FlinkDispatchHook("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", BUCKET)
    meta = hook._sqs.meta
    assert hook.queue.arn(meta.partition, meta.region_name) == "arn:aws-cn:sqs:cn-north-1:111122223333:q"
    assert FlinkDispatchHook("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", BUCKET)._sqs is hook._sqs


def test_an_order_to_cancel_waits_until_its_run_can_be_there(aws: Any, record: Any) -> None:
    hook = FlinkDispatchHook(**INSTALLATION)
    assert hook.cancel(RUN)
    aws.records[RUN] = record("running")
    assert hook.cancel(RUN)
    aws.records[RUN] = record("failed", "JobFailed")
    assert not hook.cancel(RUN)
    assert aws.bodies == [{"cancelRun": RUN}] * 2
    assert [message["DelaySeconds"] for message in aws.sent] == [60, 0]


def test_a_fifo_queue_keeps_the_order_behind_its_request(aws: Any) -> None:
    hook = FlinkDispatchHook(f"{QUEUE_URL}.fifo", BUCKET)
    hook.start(RUN, {"runJob": "nightly", "idempotencyKey": "key"})
    hook.cancel(RUN)
    assert [message["MessageGroupId"] for message in aws.sent] == [RUN, RUN]
    assert [message["MessageDeduplicationId"] for message in aws.sent] == [f"{RUN}-start", f"{RUN}-cancel"]
    assert all("DelaySeconds" not in message for message in aws.sent)


def test_without_the_right_to_list_an_absent_record_is_a_forbidden_one(aws: Any, record: Any) -> None:
    hook = FlinkDispatchHook(**INSTALLATION)
    aws.error = "AccessDenied"
    assert hook.record(RUN) is None
    assert "AccessDenied" in (hook.denied or "")
    aws.error = "NoSuchKey"
    assert hook.record(RUN) is None
    assert hook.denied is None
    aws.error = "SlowDown"
    with pytest.raises(ClientError):
        hook.record(RUN)
    aws.records[RUN] = record("running", version=2)
    with pytest.raises(ValueError, match="newer provider"):
        hook.record(RUN)


def test_a_connection_needs_the_provider_of_amazon(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirflowFailException, match=r"airflow-provider-flink-dispatch\[amazon\]"):
        clients.client_of("sqs", aws_conn_id="aws_default", region_name="eu-central-1")
    monkeypatch.setattr(clients, "_hook_of", lambda *_names: type("Hook", (), {"get_conn": lambda _self: "client"})())
    assert clients.client_of("sqs", aws_conn_id="aws_default", region_name=None) == "client"
