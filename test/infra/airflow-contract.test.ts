import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { identityIn } from '../../lib/job/config/tenants.ts';
import { buildEvent } from '../../lib/outcome/event.ts';
import { keptRecord } from '../../lib/run/retention/kept-record.ts';
import { parseRecord } from '../../lib/run/record-schema.ts';
import type { Attempt, EndedRun } from '../../lib/run/record.ts';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import { launchedSample, sampleRecord } from '../fixtures/records/load.ts';

/*
 * What the Airflow provider makes by itself, in Python: the id of a run, and the data of its completion event. Its own tests
 * read these files.
 */
const FOLDER = new URL('../../integrations/airflow/tests/contract/', import.meta.url);
const BUCKET = 'ledger';

const ARN = 'arn:aws:sqs:eu-central-1:111122223333:flink-dispatch-prod-messages';
const MESSAGES = [
  { queueArn: ARN, body: { runJob: 'nightly', idempotencyKey: 'airflow/etl/manual__2026-11-30/run/-1/1/1' } },
  { queueArn: `${ARN}.fifo`, body: { runJob: 'nightly', idempotencyKey: 'a%2Fb', spec: { name: 'other' } } },
  { queueArn: ARN, tenant: 'payments', body: { runJob: 'nightly', idempotencyKey: 'a' } },
  { queueArn: ARN, body: { idempotencyKey: 'a', spec: { name: 'häufig "zitiert" \u2028\u007f\t😀' } } },
  { queueArn: ARN, body: { idempotencyKey: 'a', spec: { kind: 'FlinkDeployment', metadata: { name: 'x' } } } },
  { queueArn: ARN, body: { idempotencyKey: 'a', spec: { metadata: { name: null }, name: 'y' } } },
  { queueArn: ARN, body: { idempotencyKey: 'a', spec: { metadata: 'none', name: 7 } } },
];

function runIds(): unknown {
  return MESSAGES.map(({ queueArn, tenant, body }) => {
    const record = { messageId: 'm', eventSource: 'aws:sqs', eventSourceARN: queueArn, body: JSON.stringify(body) };
    const [result] = parseMessageEvent({ Records: [record] }, 0);
    const identity = result?.requests[0]?.identity ?? '';
    expect(identity).not.toBe('');
    return { queueArn, tenant: tenant ?? null, body, runId: runIdFor(identityIn(tenant, identity)) };
  });
}

const source = { kind: 'message', queueArn: ARN, messageId: 'm', idempotencyKey: 'airflow/etl' } as const;
const snapshot = { kind: 'checkpoint', path: 's3://state/7', checkpointId: 7, at: 1_795_000_110_000 } as const;

function lastAttempt(changes: Partial<Attempt>): Pick<EndedRun, 'attempts'> {
  const [first, second] = launchedSample().attempts;
  if (second === undefined) throw new Error('the sample has two attempts');
  return { attempts: [first, { ...second, ...changes }] };
}

function rejected(): EndedRun {
  const { job, ...rest } = sampleRecord({ source, attempts: [], state: 'ended' });
  expect(job).toBeDefined();
  const why = { state: 'rejected', reason: 'NotAllowed', field: 'image', message: 'image x is not allowed' } as const;
  const at = rest.createdAt;
  return { ...rest, outcome: { ...why, at, evidence: [] }, events: [{ sequence: 1, type: 'completed', time: at }] };
}

function succeeded(): EndedRun {
  const at = 1_795_000_120_000;
  const jobs = [
    { id: '0'.repeat(31) + '2', name: 'first', state: 'FINISHED', startedAt: 1_795_000_060_000, duration: 1500 },
    { id: '0'.repeat(31) + '3', state: 'FINISHED', accumulators: { orders: '1000' } },
  ];
  const accumulators = { orders: '1000', 'a name': 'häufig' };
  const told = { message: 'The job finished.', flinkState: 'FINISHED', evidence: [] };
  const outcome = { state: 'succeeded', reason: 'JobFinished', at, accumulators, jobs, ...told } as const;
  const attempts = lastAttempt({ outcome, snapshot, restoredFrom: { ...snapshot, checkpointId: 3 } });
  return { ...sampleRecord({ source, tenant: 'payments', outcome }), ...attempts };
}

function completions(): unknown {
  return [sampleRecord({ source }), succeeded(), rejected()].map((run) => {
    const record = keptRecord(run);
    const completed = record.events.find(({ type }) => type === 'completed');
    if (completed === undefined) throw new Error('it has not ended');
    const { data } = buildEvent(record, completed, { source: '/flink-dispatch/prod', ledgerBucket: BUCKET });
    // As the ledger has it.
    const text = JSON.stringify(record);
    expect(parseRecord(text)).toEqual(record);
    return { bucket: BUCKET, record: JSON.parse(text) as unknown, data };
  });
}

it.each([
  ['run-ids.json', runIds],
  ['completions.json', completions],
])('the Airflow provider is held to %s; WRITE_SCHEMAS=1 writes it', (name, make) => {
  const file = new URL(name, FOLDER);
  const current = `${JSON.stringify(make(), null, 2)}\n`;
  if (process.env['WRITE_SCHEMAS'] === '1') writeFileSync(file, current);
  expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(current);
});
