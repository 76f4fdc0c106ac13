"""Runs ministack for as long as standard input is open, with queues and rules that a SIGKILL does not lose.

ministack keeps its state when it is stopped in order. Here it is kept before each answer that tells of a change: what was
answered is done, what was not may have been done, as with AWS itself. A killed server goes on from there.
"""

import logging
import os
import signal
import sys
import threading

from ministack import app
from ministack.core import persistence
from ministack.services import eventbridge, sqs

READS = {"GetQueueUrl", "GetQueueAttributes", "ListQueues", "ListRules", "ListTargetsByRule"}
# Of a receive that found nothing.
NOTHING = b"{}"


def durable(handle, *services):
    async def answer(method, path, headers, body, query_params):
        result = await handle(method, path, headers, body, query_params)
        action = headers.get("x-amz-target", "").split(".")[-1]
        if action not in READS and not (action == "ReceiveMessage" and result[2] == NOTHING):
            for name, service in services:
                persistence.save_state(name, service.get_state())
        return result

    return answer


def stop_with_parent():
    while sys.stdin.buffer.read(4096):
        pass
    os.killpg(0, signal.SIGKILL)


logging.getLogger("persistence").setLevel(logging.WARNING)
# Events go to queues before PutEvents is answered.
eventbridge.handle_request = durable(eventbridge.handle_request, ("eventbridge", eventbridge), ("sqs", sqs))
sqs.handle_request = durable(sqs.handle_request, ("sqs", sqs))
threading.Thread(target=stop_with_parent, daemon=True).start()
sys.argv = ["ministack"]
app.main()
