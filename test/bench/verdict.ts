import { parseArgs } from 'node:util';
import { describeError } from '../../lib/core/errors.ts';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { Run, type Published } from '../cluster/support/dispatcher.ts';
import { FLINK_VERSIONS } from '../cluster/support/lab.ts';
import { openTenant, type Tenant } from '../cluster/support/tenant.ts';
import { enterNetwork, START_IT } from './enter.ts';
import { CASES, type VerdictCase } from './verdict-cases.ts';
import { watchRivals, type Told } from './verdict-rivals.ts';

/**
 * How long it takes from the cause of a failure to the event that names it, on the local cluster. With `--rivals SECONDS`
 * a second cluster with the same failure is watched for so long as people do without a dispatcher. One at a time: what is
 * measured is the wait, not the machine.
 */
const USAGE =
  'usage: npm run bench:verdict -- [--flink VERSION] [--only NAME,…] [--samples N] [--rivals SECONDS]\n' +
  `cases: ${CASES.map(({ name }) => name).join(', ')}`;

interface Options {
  readonly version: string;
  readonly cases: readonly VerdictCase[];
  readonly samples: number;
  readonly rivals: number;
}

interface Row {
  readonly name: string;
  /** Seconds. */
  readonly seconds: readonly number[];
  readonly reason: string;
  readonly told?: Told;
}

process.exitCode = await main().catch((error: unknown) => fail(describeError(error)));

async function main(): Promise<number> {
  const options = parse();
  if (process.env['NODE_IP'] === undefined) return (await enterNetwork(options.version)) ?? fail(START_IT);
  const admin = await apiOfKubeconfig();
  const rows: Row[] = [];
  console.log(line('cause to event, seconds', 'reason', 'min', 'median', 'max', ...heads(options)));
  for (const it of options.cases) {
    const row = await measure(it, admin, options);
    rows.push(row);
    console.log(rowOf(row, options));
  }
  console.log(`\n${JSON.stringify({ bench: 'verdict', flink: options.version, limit: options.rivals, rows })}`);
  return 0;
}

function parse(): Options {
  const { values } = parseArgs({
    options: {
      flink: { type: 'string', default: FLINK_VERSIONS[0] ?? '2.3.0' },
      only: { type: 'string' },
      samples: { type: 'string', default: '1' },
      rivals: { type: 'string', default: '0' },
    },
  });
  const only = values.only?.split(',');
  const cases = CASES.filter(({ name }) => only?.includes(name) ?? true);
  const numbers = [Number(values.samples), Number(values.rivals)];
  if (cases.length !== (only?.length ?? CASES.length) || numbers.some((it) => !(it >= 0))) throw new Error(USAGE);
  return { version: values.flink, cases, samples: Number(values.samples), rivals: Number(values.rivals) };
}

async function measure(it: VerdictCase, admin: KubernetesApi, options: Options): Promise<Row> {
  const { pods } = it;
  const quota = pods === undefined ? undefined : { hard: { pods: String(pods) }, scopes: ['NotTerminating'] };
  const tenant = await openTenant(admin, quota);
  try {
    const verdicts: Verdict[] = [];
    for (let n = 0; n < options.samples; n += 1) verdicts.push(await sample(it, tenant, options));
    const seconds = verdicts.map((verdict) => verdict.seconds);
    const reason = [...new Set(verdicts.map((verdict) => verdict.reason))].join('/');
    const told = options.rivals === 0 ? undefined : await rivals(it, tenant, options);
    return { name: it.name, seconds, reason, ...(told === undefined ? {} : { told }) };
  } finally {
    await tenant.remove();
  }
}

interface Verdict {
  readonly seconds: number;
  readonly reason: string;
}

/** A run that waits for room has its reason on record, and goes on: it is not waited for. */
async function sample(it: VerdictCase, tenant: Tenant, { version }: Options): Promise<Verdict> {
  const run = await new Run({ tenant, version, spec: it.spec }).start();
  try {
    const caused = it.cause?.(run);
    const isNamed = ({ outcome, waiting }: RunRecord): boolean => (waiting ?? outcome) !== undefined;
    const { waiting } = await run.until(isNamed, 600);
    const { at, reason = '' } =
      waiting === undefined ? endOf(await run.completed(60)) : { at: Date.now(), reason: waiting.reason };
    const from = caused === undefined ? run.record.attempts[0]?.createdAt : await caused;
    if (waiting === undefined) await run.closed(120);
    return { seconds: (at - (from ?? NaN)) / 1000, reason };
  } finally {
    await run.stop();
  }
}

function endOf({ event, at }: Published): { readonly at: number; readonly reason: string | undefined } {
  return { at, reason: event.data.reason };
}

/** The same failure in a cluster that nobody follows from its cause on. */
async function rivals(it: VerdictCase, tenant: Tenant, { version, rivals: limit }: Options): Promise<Told> {
  const run = await new Run({ tenant, version, spec: it.spec }).start();
  try {
    if (it.cause === undefined) await run.until(({ state }) => state === 'starting', 60);
    const from = it.name === 'job-failed' ? Date.now() : ((await it.cause?.(run)) ?? Date.now());
    await run.stop();
    return await watchRivals(run.ref, version, from, limit);
  } finally {
    await run.stop();
  }
}

function heads({ rivals }: Options): readonly string[] {
  return rivals === 0 ? [] : ['rollout status', 'flink list'];
}

function rowOf({ name, reason, seconds, told }: Row, { rivals }: Options): string {
  const sorted = seconds.toSorted((a, b) => a - b);
  const ours = [0, Math.floor((sorted.length - 1) / 2), sorted.length - 1].map((at) => (sorted[at] ?? NaN).toFixed(1));
  const theirs = told === undefined ? [] : [told.rollout, told.list].map((it) => it?.toFixed(1) ?? `> ${rivals}`);
  return line(name, reason, ...ours, ...theirs);
}

function line(name: string, reason: string, ...cells: readonly string[]): string {
  const widths = [9, 9, 9, 16, 12];
  return `${name.padEnd(32)}${reason.padEnd(26)}${cells.map((cell, at) => cell.padStart(widths[at] ?? 12)).join('')}`;
}

function fail(message: string): number {
  console.error(`bench:verdict: ${message}`);
  return 1;
}
