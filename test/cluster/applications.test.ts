import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { apiPath } from '../../lib/kubernetes/api/api.ts';
import { must } from '../contract/support/kubernetes.ts';
import { startRun, type Spec } from './support/dispatcher.ts';
import { FLINK_VERSIONS, LAB } from './support/lab.ts';
import { createPool } from './support/pool.ts';
import { buildShape } from './support/shape.ts';
import { tenantSuite } from './support/tenant-suite.ts';

/** Seconds: for JVMs that start beside others, and a main() of 20 s. */
const ENDED = 300;
const pool = createPool(3);
const suite = tenantSuite();

/** A small jar comes to the pods as a file of a ConfigMap. */
const MOUNTED: Spec = {
  podTemplate: {
    spec: {
      containers: [{ name: 'flink-main-container', volumeMounts: [{ name: 'shape', mountPath: '/shape' }] }],
      volumes: [{ name: 'shape', configMap: { name: 'shape' } }],
    },
  },
};

beforeAll(async () => {
  const [version = ''] = FLINK_VERSIONS.filter((it) => it.startsWith('1.')).concat(FLINK_VERSIONS);
  const jar = await buildShape(join(LAB, 'flink', version));
  const path = apiPath('api', 'v1', 'namespaces', suite.tenant.namespace, 'configmaps');
  const body = { metadata: { name: 'shape' }, binaryData: { 'shape.jar': jar.toString('base64') } };
  await must(suite.admin, { method: 'POST', path, body });
}, 120_000);

interface Shape {
  readonly steps: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly expected: object;
  readonly message?: RegExp;
}

const SUCCEEDED = { state: 'succeeded', reason: 'JobFinished' };
const FAILED = { state: 'failed', reason: 'ApplicationFailed' };
const lines = { accumulators: { lines: '10' } };
const job = { name: 'job', state: 'FINISHED', ...lines };
const caught = { name: 'fail', state: 'FAILED' };
const SHAPES: readonly Shape[] = [
  {
    steps: 'job throw',
    expected: { ...FAILED, jobs: [{ name: 'job', state: 'FINISHED' }] },
    message: /main\(\) threw/,
  },
  { steps: 'job sleep20', expected: { ...SUCCEEDED, ...lines } },
  { steps: 'job job', expected: { ...SUCCEEDED, jobs: [job, job] } },
  { steps: 'none', expected: FAILED, message: /without running a job/ },
  { steps: 'exit3', expected: FAILED, message: /System\.exit\(3\)/ },
  { steps: 'job exit0', expected: SUCCEEDED, message: /System\.exit\(0\)/ },
  { steps: 'caught job', expected: { state: 'failed', reason: 'JobFailed', jobs: [caught, job] } },
];
/** From 2.3 an application may live on a job that failed. */
const LIVES_ON: Shape = {
  steps: 'caught job',
  options: { 'execution.terminate-application-on-any-job-terminated-exceptionally': 'false' },
  expected: { ...SUCCEEDED, jobs: [caught, job] },
};

describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: 600_000 }, (version) => {
  const shapes = version.startsWith('1.') ? SHAPES : [...SHAPES, LIVES_ON];
  it.for(shapes)('main() of $steps, $options', ({ steps, options = {}, expected, message = /./ }, test) =>
    pool(async () => {
      const program = { jarURI: 'local:///shape/shape.jar', entryClass: 'Shape', args: steps.split(' ') };
      const spec = { ...MOUNTED, flinkConfiguration: options, job: program };
      const run = await startRun({ tenant: suite.tenant, version, spec }, test);
      const { event, at } = await run.completed(ENDED);
      const { state, reason = '', message: said = '', jobs = [] } = event.data;
      const late = ((at - (run.record.outcome?.at ?? 0)) / 1000).toFixed(1);
      console.log(`${version} ${steps}: ${late} s ${state} ${reason}: ${said} ${JSON.stringify(jobs)}`);
      expect(event.data).toMatchObject(expected);
      expect(said).toMatch(message);
      await run.closed(120);
    }),
  );
});
