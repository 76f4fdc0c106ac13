"""What has moved between the versions of Airflow 3."""

from __future__ import annotations

from airflow.triggers.base import BaseTrigger

try:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
except ImportError:  # before 3.2
    from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException

#: From 3.3 the triggerer tells a trigger that a user has killed its task.
TRIGGERS_ARE_TOLD_OF_KILLS = hasattr(BaseTrigger, "on_kill")

__all__ = ["TRIGGERS_ARE_TOLD_OF_KILLS", "AirflowException", "AirflowFailException", "AirflowSkipException"]
