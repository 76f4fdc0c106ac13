"""Airflow provider of flink-dispatch: runs of Flink jobs as tasks that hold no worker while they wait."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_INTEGRATION = "flink-dispatch"


def get_provider_info() -> dict[str, Any]:
    """What Airflow asks a provider package about itself."""
    return {
        "package-name": "airflow-provider-flink-dispatch",
        "name": _INTEGRATION,
        "description": "Runs Apache Flink jobs on Kubernetes with flink-dispatch.",
        "versions": [__version__],
        "integrations": [{"integration-name": _INTEGRATION, "tags": ["service"]}],
        "operators": [{"integration-name": _INTEGRATION, "python-modules": ["flink_dispatch_airflow.operators.run"]}],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": ["flink_dispatch_airflow.hooks.dispatch"]}],
        "triggers": [{"integration-name": _INTEGRATION, "python-modules": ["flink_dispatch_airflow.triggers.run"]}],
    }
