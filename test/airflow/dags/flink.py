"""The DAGs of test/airflow/airflow.test.ts. The environment says where the installation is."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG
from flink_dispatch_airflow.operators.run import FlinkDispatchRunOperator

INSTALLATION: dict[str, Any] = {
    "queue_url": os.environ["FLINK_DISPATCH_QUEUE_URL"],
    "ledger_bucket": os.environ["FLINK_DISPATCH_LEDGER_BUCKET"],
    "region_name": os.environ["AWS_REGION"],
    "poll_interval": 4,
}

# A try that Airflow itself loses goes on with its run.
RETRY = {"retries": 1, "retry_delay": timedelta(seconds=1)}

for job in ("order-totals", "unknown", "endless"):
    with DAG(dag_id=job, schedule=None, is_paused_upon_creation=False):
        FlinkDispatchRunOperator(
            task_id="run", run_job=job, spec={"name": f"{job}-of-airflow"}, **RETRY, **INSTALLATION
        )
