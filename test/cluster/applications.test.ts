import { beforeAll, describe, expect, it } from 'vitest';
import { startRun, type Spec } from './support/dispatcher.ts';
import { eventually } from './support/eventually.ts';
import { HIGH_AVAILABILITY, jobsOf } from './support/jobs.ts';
import { FLINK_VERSIONS, turnsOf } from './support/lab.ts';
import { createPool } from './support/pool.ts';
import { createShapeMap, SHAPE_JAR, SHAPE_TEMPLATE } from './support/shape/shape.ts';
import { tenantSuite } from './support/tenant-suite.ts';

/** Seconds: for JVMs that start beside others, and a main() of 20 s. */
const ENDED = 300;
const pool = createPool(3);
const suite = tenantSuite();

beforeAll(async () => {
  await createShapeMap(suite.admin, suite.tenant.namespace);
}, 120_000);

interface Shape {
  readonly steps: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly spec?: Spec;
  /** Its jobs are canceled once that many run. */
  readonly cancelAt?: number;
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

/** On one version each. */
const BY_TURNS: readonly Shape[] = [
  {
    steps: 'job sleep600',
    spec: { deadlines: { main: '10s' } },
    expected: { state: 'failed', reason: 'MainDeadlineExceeded', jobs: [{ name: 'job', state: 'FINISHED' }] },
    message: /main\(\) had not returned 10 s after its jobs had ended \(deadlines\.main\), in Shape\.run/,
  },
  {
    steps: 'endless endless',
    options: { 'taskmanager.numberOfTaskSlots': '2' },
    cancelAt: 2,
    expected: { state: 'canceled', reason: 'JobCanceled', jobs: [{ state: 'CANCELED' }, { state: 'CANCELED' }] },
  },
  { steps: 'job job', spec: HIGH_AVAILABILITY, expected: FAILED, message: /Cannot have more than/ },
];

describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: 600_000 }, (version) => {
  const isTurn = turnsOf(version);
  const livesOn = version.startsWith('1.') ? [] : [LIVES_ON];
  const shapes = [...SHAPES, ...livesOn, ...BY_TURNS.filter(() => isTurn())];
  it.for(shapes)(
    'main() of $steps, $options',
    ({ steps, options = {}, spec = {}, cancelAt, expected, message = /./ }, test) =>
      pool(async () => {
        const program = { jarURI: SHAPE_JAR, entryClass: 'Shape', args: steps.split(' ') };
        const flinkConfiguration = { ...(spec['flinkConfiguration'] as object | undefined), ...options };
        const whole = { podTemplate: SHAPE_TEMPLATE, ...spec, flinkConfiguration, job: program };
        const run = await startRun({ tenant: suite.tenant, version, spec: whole }, test);
        if (cancelAt !== undefined) {
          const running = async () => (await jobsOf(suite.tenant, run.ref)).filter(({ state }) => state === 'RUNNING');
          await run.event('started', ENDED);
          await eventually('its jobs run', ENDED, async () => (await running()).length === cancelAt);
          await run.cancel();
        }
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
