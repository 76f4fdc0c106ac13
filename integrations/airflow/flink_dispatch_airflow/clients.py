"""boto3 clients, by an Airflow connection or by AWS' own chain of credentials."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config

from flink_dispatch_airflow.compat import AirflowFailException

_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
_making = Lock()


def client_of(service: str, *, aws_conn_id: str | None, region_name: str | None) -> Any:
    """
    One for all threads of the process where no connection is named: the triggerer waits for many runs at once.

    May ask Airflow for the connection, so it is called from a thread and not from the triggerer's loop.
    """
    if aws_conn_id is None:
        with _making:
            return _default_client(service, region_name)
    return _hook_of(aws_conn_id, service, region_name).get_conn()


@lru_cache(maxsize=16)
def _default_client(service: str, region_name: str | None) -> Any:
    return boto3.Session(region_name=region_name).client(service, config=_CONFIG)


def _hook_of(aws_conn_id: str, service: str, region_name: str | None) -> Any:
    try:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
    except ImportError:
        raise AirflowFailException(
            f"aws_conn_id={aws_conn_id!r} needs apache-airflow-providers-amazon: "
            "pip install 'airflow-provider-flink-dispatch[amazon]', or leave aws_conn_id out for AWS' own credentials"
        ) from None
    return AwsBaseHook(aws_conn_id=aws_conn_id, client_type=service, region_name=region_name, config=_CONFIG)
