import type { IncomingMessage } from 'node:http';
import type { Refusal } from './throttle.ts';

/** As API Priority and Fairness refuses. */
export function busyKubernetes(): Refusal {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'too many requests, please try again later',
    reason: 'TooManyRequests',
    code: 429,
  };
  const headers = { 'content-type': 'application/json', 'retry-after': '1' };
  return { what: 'kubernetes', status: 429, headers, body: JSON.stringify(body) };
}

/** As S3, SQS and EventBridge throttle, each in its own protocol; every second PutEvents is refused entry by entry. */
export function busyAws(): (request: IncomingMessage) => Refusal | undefined {
  let events = 0;
  return ({ headers }) => {
    const target = headers['x-amz-target'];
    const [service, action = ''] = typeof target === 'string' ? target.split('.') : [];
    if (service === undefined) return slowDown();
    if (service === 'AmazonSQS') {
      return throttled(`sqs ${action}`, 'com.amazonaws.sqs#RequestThrottled', 'Request is throttled.');
    }
    if (service !== 'AWSEvents') return undefined;
    events += 1;
    return events % 2 === 0 ? refusedEntries() : throttled('events PutEvents', 'ThrottlingException', 'Rate exceeded');
  };
}

function slowDown(): Refusal {
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>Please reduce your request rate.' +
    '</Message><RequestId>0123456789ABCDEF</RequestId><HostId>load</HostId></Error>';
  return { what: 's3', status: 503, headers: { 'content-type': 'application/xml' }, body };
}

function throttled(what: string, type: string, message: string): Refusal {
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  return { what, status: 400, headers, body: JSON.stringify({ __type: type, message }) };
}

/** The product puts one event at a time. */
function refusedEntries(): Refusal {
  const entry = { ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' };
  const body = JSON.stringify({ FailedEntryCount: 1, Entries: [entry] });
  return { what: 'events entry', status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
}
