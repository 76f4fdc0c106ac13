"""Runs ministack for as long as standard input is open, then removes FOLDER. usage: server.py FOLDER

Keeps its functions from turning TLS off: they would speak plain HTTP to every server of this host, also to a Kubernetes
API on another port. And fills gaps:

- Schedules are looked at every second, not every ten.
- The context attributes <aws.scheduler.*> in a schedule's input are filled in, as AWS does it.
- An alarm on a sum of metrics is taken, as one on the first of them.
- The concurrency of a queue's mapping is a number when it is a parameter of a stack, too.
- A change set that takes up buckets that are there does not fail because they are there.
- What a function is at when its code changes, it brings to its end.
"""

import os
import re
import shutil
import signal
import sys
import threading
import time
from datetime import datetime, timezone

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import eventbridge, lambda_svc, scheduler
from ministack.services.cloudformation import _stacks, changesets, provisioners

FOLDER = sys.argv[1]
ATTRIBUTE = re.compile(r"<aws\.scheduler\.([a-z-]+)>")


def fill_in(text, event):
    values = {
        "schedule-arn": (event.get("Resources") or [""])[0],
        "scheduled-time": datetime.fromtimestamp(event["Time"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": event["EventId"],
        "attempt-number": "1",
    }
    return ATTRIBUTE.sub(lambda match: values.get(match[1], match[0]), text)


def with_context_attributes(invoke_target):
    def invoke(target, event, *rest, **options):
        if event.get("Source") == "aws.scheduler" and target.get("Input"):
            target = {**target, "Input": fill_in(target["Input"], event)}
        return invoke_target(target, event, *rest, **options)

    return invoke


def with_first_metric(alarm_record):
    def make(name, props):
        for part in props.get("Metrics") or []:
            stat = part.get("MetricStat")
            if stat:
                first = {"Statistic": stat["Stat"], "Period": stat["Period"], "Metrics": None}
                return alarm_record(name, {**props, **stat["Metric"], **first})
        return alarm_record(name, props)

    return make


def with_number(change_mapping):
    def number_in(props):
        scaling = props.get("ScalingConfig") if isinstance(props, dict) else None
        if not scaling:
            return props
        return {**props, "ScalingConfig": {**scaling, "MaximumConcurrency": int(scaling["MaximumConcurrency"])}}

    return lambda *args, **options: change_mapping(*map(number_in, args), **options)


def without_conflict(deploy_stack):
    def deploy(stack_name, *rest, imports=None, **options):
        if imports:
            _stacks[stack_name]["_disable_validation"] = True
        return deploy_stack(stack_name, *rest, imports=imports, **options)

    return deploy


IN_UPDATE = threading.local()


def marked(update):
    def changed(*args, **options):
        IN_UPDATE.yes = True
        try:
            return update(*args, **options)
        finally:
            IN_UPDATE.yes = False

    return changed


def when_idle(kill_workers):
    def later(workers):
        while any(worker.in_use for worker in workers):
            time.sleep(0.05)
        kill_workers(workers)

    def kill(workers):
        if getattr(IN_UPDATE, "yes", False):
            threading.Thread(target=later, args=(workers,), daemon=True).start()
        else:
            kill_workers(workers)

    return kill


def stop_with_parent():
    while sys.stdin.buffer.read(4096):
        pass
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def keep_tls(script):
    gateway_hosts = 'if (host === "127.0.0.1" || host === "localhost" || host === msHost'
    gateway_port = '(!options.port || ["443", String(msPort)].includes(String(options.port))) && '
    patched = script.replace(gateway_hosts, gateway_hosts.replace("if (", "if (" + gateway_port + "("), 1)
    # The condition goes on over the next line and ends the `if` with one bracket: it needs a second one.
    head, found, tail = patched.partition(gateway_port)
    closed = tail.replace(") {", ")) {", 1)
    if not found or closed == tail:
        raise SystemExit("ministack's function runtime is not the one that server.py knows")
    return head + found + closed


lambda_runtime._NODEJS_WORKER_SCRIPT = keep_tls(lambda_runtime._NODEJS_WORKER_SCRIPT)
eventbridge._invoke_target = with_context_attributes(eventbridge._invoke_target)
scheduler._SCHEDULE_TICK_INTERVAL = 1
mappings = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
for change in ("create", "update"):
    mappings[change] = with_number(mappings[change])
changesets._deploy_stack_async = without_conflict(changesets._deploy_stack_async)
lambda_svc._update_code = marked(lambda_svc._update_code)
lambda_svc._update_config = marked(lambda_svc._update_config)
lambda_runtime.kill_workers = when_idle(lambda_runtime.kill_workers)
provisioners._cw_metric_alarm_record = with_first_metric(provisioners._cw_metric_alarm_record)
threading.Thread(target=stop_with_parent, daemon=True).start()
sys.argv = ["ministack"]
app.main()
