"""A DAG whose task is a run of a stored job. The environment says where the installation is."""

import os

from airflow.sdk import DAG
from flink_dispatch_airflow.operators.run import FlinkDispatchRunOperator

with DAG("order_totals", schedule="@daily", catchup=False) as dag:
    FlinkDispatchRunOperator(
        task_id="totals",
        queue_url=os.environ["FLINK_DISPATCH_QUEUE_URL"],  # the stack's outputs MessageQueueUrl
        ledger_bucket=os.environ["FLINK_DISPATCH_LEDGER_BUCKET"],  # and LedgerBucketName
        run_job="order-totals",
        spec={"job": {"args": ["--day", "{{ ds }}"]}},
        retries=2,
    )
