"""What has moved between the versions of Airflow 3."""

from __future__ import annotations

from airflow.triggers.base import BaseTrigger

try:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException, TaskDeferred
except ImportError:  # of the first ones
    from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException, TaskDeferred

#: From 3.3 the triggerer tells a trigger that a user has killed its task.
TRIGGERS_ARE_TOLD_OF_KILLS = hasattr(BaseTrigger, "on_kill")

__all__ = [
    "TRIGGERS_ARE_TOLD_OF_KILLS",
    "AirflowException",
    "AirflowFailException",
    "AirflowSkipException",
    "TaskDeferred",
]
