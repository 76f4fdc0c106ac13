import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { parseObjectText } from '../../lib/core/yaml.ts';
import { readConfig } from '../../functions/config.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import { parseManifestOrSpec } from '../../lib/job/spec/manifest.ts';
import { parseRecord } from '../../lib/run/record-schema.ts';
import { parseRunMessage } from '../../lib/run/store/run-queue.ts';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import type { RecordResult } from '../../lib/trigger/record-result.ts';
import { parseUploadEvent } from '../../lib/trigger/s3-event.ts';
import { parseScheduleEvent } from '../../lib/trigger/schedule.ts';
import { STORED_V1 } from '../fixtures/records/load.ts';
import { holds, holdsJson } from './hold.ts';
import { nearJson, nearText } from './mutate.ts';

const EVENTS = new URL('../fixtures/events/', import.meta.url);
const events = readdirSync(EVENTS).map((name) => JSON.parse(readFileSync(new URL(name, EVENTS), 'utf8')) as unknown);
const DEPLOYMENT = readFileSync(new URL('../../infra/dispatch.yml', import.meta.url), 'utf8');

/** Each record of a batch tells its own fault, and none is ours. */
function noneIsOurs(results: readonly RecordResult[]): void {
  for (const { error } of results) if (error !== undefined) expect(error.reason).not.toBe('Internal');
}

const spec = {
  apiVersion: 'flink.apache.org/v1beta1',
  kind: 'FlinkDeployment',
  metadata: { name: 'orders', namespace: 'flink' },
  spec: {
    image: 'flink:2.3.0',
    flinkVersion: 'v2_3',
    flinkConfiguration: { 'taskmanager.numberOfTaskSlots': '2', state: { backend: { type: 'rocksdb' } } },
    podTemplate: { spec: { containers: [{ name: 'flink-main-container', env: [{ name: 'A', value: 'b' }] }] } },
    jobManager: { resource: { cpu: 1, memory: '2048m' } },
    taskManager: { resource: { cpu: 1, memory: '2Gi' }, replicas: 2 },
    job: { jarURI: 'local:///opt/flink/usrlib/a.jar', args: ['--a', 'b'], parallelism: 2, upgradeMode: 'stateless' },
  },
};
const dispatched = {
  name: 'orders',
  target: 'default',
  image: 'flink:1.20.0',
  flinkVersion: '1.20',
  job: { jarURI: 's3://jars/orders.jar', entryClass: 'com.example.Orders' },
  deadlines: { start: '5m', run: 'PT1H' },
  retry: { attempts: 3, backoff: '10s' },
  concurrency: { key: 'orders', policy: 'queue' },
  afterEnd: { keepCluster: 'on-failure', ttl: '1h' },
  notify: ['arn:aws:sns:eu-central-1:111122223333:orders'],
};

describe('what comes in', () => {
  it('events of S3, SQS, SNS and Scheduler', async () => {
    await holdsJson(events, (event) => noneIsOurs(parseUploadEvent(event)));
    await holdsJson(events, (event) => noneIsOurs(parseMessageEvent(event, 0)));
    await holdsJson(events, (event) => parseScheduleEvent(event, { now: 0 }));
  });

  it('messages as text', async () => {
    const bodies = [JSON.stringify(spec), JSON.stringify(dispatched), DEPLOYMENT, 'a: &a [*a]', '{"a": 1, "a": 2}'];
    await holds(nearText(bodies), (text) => parseObjectText(text, 'the message'));
  });

  it('job specs and FlinkDeployment manifests', async () => {
    await holdsJson([spec, dispatched], (value) => parseManifestOrSpec(value));
  });

  it('the configuration of the deployment, and of the functions', async () => {
    await holds(nearText([DEPLOYMENT]), (text) => parseDispatchConfig(text));
    await holdsJson([{ STAGE: 'dev', LEDGER_BUCKET: 'ledger' }], (env) =>
      readConfig(Object(env) as Record<string, string>),
    );
  });

  it('run records and run messages', async () => {
    // The ledger is our own: what it cannot be read is a fault of ours, and said to be.
    const read = (text: string): void => {
      try {
        parseRecord(text);
      } catch (error) {
        expect(error).toBeInstanceOf(DispatchError);
      }
    };
    await holds(nearText([STORED_V1]), read);
    await holds(nearJson([JSON.parse(STORED_V1)]), read);
    await holds(nearText(['{"version":1,"runId":"0123456789abcdef0123456789abcdef","step":3}']), parseRunMessage);
  });
});
