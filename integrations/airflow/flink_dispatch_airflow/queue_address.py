"""The queue of job messages, by its URL as the stack's output `MessageQueueUrl` has it."""

from __future__ import annotations

import re
from typing import NamedTuple

_URL = re.compile(r"https?://(?P<host>[^/]+)/(?P<account>\d{12})/(?P<name>[A-Za-z0-9_-]{1,80}(?:\.fifo)?)")
_REGION = re.compile(r"(?:^|\.)sqs(?:-fips)?\.(?P<region>[a-z]+(?:-[a-z]+)+-\d+)\.")


class QueueAddress(NamedTuple):
    """An SQS queue."""

    url: str
    account: str
    name: str
    #: None where the URL does not tell, as that of an endpoint of one's own.
    region: str | None

    @classmethod
    def parse(cls, url: str) -> QueueAddress:
        """Raises ValueError for what is no queue's URL."""
        found = _URL.fullmatch(url)
        if found is None:
            raise ValueError(f"queue_url {url!r} is no URL of an SQS queue: use the stack's output MessageQueueUrl")
        region = _REGION.search(found["host"])
        return cls(url, found["account"], found["name"], None if region is None else region["region"])

    @property
    def is_fifo(self) -> bool:
        """Whether its messages keep their order."""
        return self.name.endswith(".fifo")

    def arn(self, partition: str, region: str) -> str:
        """As the dispatcher sees it: a part of what makes a message a run."""
        return f"arn:{partition}:sqs:{region}:{self.account}:{self.name}"
