"""What Airflow is told of the package."""

from __future__ import annotations

from importlib import import_module

from flink_dispatch_airflow import get_provider_info


def test_the_modules_that_it_names_are_there() -> None:
    info = get_provider_info()
    named = [
        module
        for kind in ("operators", "hooks", "triggers")
        for entry in info[kind]
        for module in entry["python-modules"]
    ]
    assert len(named) == 3
    for module in named:
        assert import_module(module).__doc__
