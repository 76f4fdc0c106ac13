import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import { reasonClass } from '../../../lib/core/reasons.ts';
import type { Outcome, RunRecord } from '../../../lib/run/record.ts';
import { goesOnExactly, type Account, type Life } from '../../counter/account.ts';
import type { DeploymentDelivery } from '../subscriber.ts';

/** All that can be known of a stream from the outside when everything is quiet. */
export interface StreamEvidence {
  readonly name: string;
  readonly upgrades: number;
  readonly record: DeploymentRecord | undefined;
  /** Of all runs. */
  readonly records: readonly RunRecord[];
  readonly deliveries: readonly DeploymentDelivery[];
  /** What its own job says, which passes through no part of the product. */
  readonly account: Account;
  /** It came to its last version. */
  readonly isWhole: boolean;
}

type Check = (holds: boolean, what: string) => void;

/** What must hold of a stream that was changed while all was killed. Answers how its runs were spoilt by that. */
export function judgeStream(evidence: StreamEvidence, check: Check): readonly string[] {
  const { name, record, records, account, isWhole, upgrades } = evidence;
  for (const fault of account.faults) check(false, `${name}: ${fault}`);
  if (record === undefined) {
    check(false, `${name} has no deployment`);
    return [];
  }
  const expected = isWhole ? 'suspended' : 'deleted';
  check(record.state === expected, `${name} is ${record.state}, not ${expected}: ${record.stepError?.message ?? ''}`);
  check(record.run === undefined && record.next === undefined, `${name} is ${record.state}, and names a run`);
  judgeEvents(evidence, record, check);
  judgeRefused(evidence, check);
  const runs = records
    .filter(({ deployment }) => deployment?.id === record.id)
    .sort((a, b) => (a.prepared?.permittedAt ?? a.createdAt) - (b.prepared?.permittedAt ?? b.createdAt));
  for (const { runId, state } of runs) check(state === 'closed', `${name}: run ${runId} is ${state}`);
  const begun = runs.filter(hasBegun);
  judgeHandovers(name, begun, account.lives, check);
  const variants = account.lives.map(({ job }) => job);
  if (isWhole)
    check(new Set(variants).size > upgrades, `${name}: ${new Set(variants).size} jobs for ${upgrades} upgrades`);
  return begun.flatMap(({ runId, outcome }) => {
    const end = `${outcome?.state ?? 'no'} ${outcome?.reason ?? 'outcome'}`;
    if (EXPECTED.includes(end)) return [];
    const message = `${name}: run ${runId} ended as ${end}: ${outcome?.message ?? ''}`;
    if (isDoingOfFaults(outcome)) return [message];
    check(false, message);
    return [];
  });
}

/** An upload is no version when the next one has taken its place before anybody read it, and nothing else is refused. */
function judgeRefused({ name, records }: StreamEvidence, check: Check): void {
  for (const { runId, attempts, deployment, name: own, outcome } of records) {
    if (own !== name || deployment !== undefined) continue;
    const isOverwritten = attempts.length === 0 && outcome?.reason === 'JarNotFound';
    check(isOverwritten, `${name}: ${runId} is no run of its deployment: ${outcome?.message ?? ''}`);
  }
}

/** A run that was prepared begins with its permit. */
function hasBegun({ prepared, attempts }: RunRecord): boolean {
  return attempts.length > 0 && (prepared === undefined || prepared.permittedAt !== undefined);
}

const EXPECTED: readonly string[] = [
  'succeeded StoppedWithSavepoint',
  'canceled ReplacedByNewerRun',
  'canceled JobCanceled',
];

function isDoingOfFaults(outcome: Outcome | undefined): boolean {
  if (outcome?.state !== 'failed') return outcome?.state === 'unknown';
  return outcome.reason === 'ServiceAccountForbidden' || reasonClass(outcome.reason) === 'infrastructure';
}

/** Each run begins from what the one before it left, and after a savepoint with the very next number. */
function judgeHandovers(name: string, runs: readonly RunRecord[], lives: readonly Life[], check: Check): void {
  for (const [index, after] of runs.entries()) {
    const before = runs[index - 1];
    if (before === undefined) continue;
    const left = leftBy(before);
    const from = after.attempts[0]?.restoredFrom?.path;
    check(from === left, `${name}: run ${after.runId} begins from ${from ?? 'nothing'}, left was ${left ?? 'nothing'}`);
    const last = livesOf(before, lives).at(-1);
    const first = livesOf(after, lives)[0];
    const isExact = before.outcome?.reason === 'StoppedWithSavepoint';
    if (!isExact || last === undefined || first === undefined) continue;
    const holds = goesOnExactly(last, first);
    check(holds, `${name}: after a savepoint ${last.last?.number ?? 0} was followed by ${first.first?.number ?? 0}`);
  }
}

function leftBy({ attempts, startFrom }: RunRecord): string | undefined {
  const last = [...attempts].reverse().map(({ snapshot, restoredFrom }) => snapshot ?? restoredFrom);
  return (last.find((one) => one !== undefined) ?? startFrom)?.path;
}

function livesOf({ attempts }: RunRecord, lives: readonly Life[]): readonly Life[] {
  const jobs = attempts.map(({ jobId }) => jobId as string);
  return lives.filter(({ job }) => jobs.includes(job));
}

/** Each of its events was told, always with the same content. */
function judgeEvents({ name, deliveries }: StreamEvidence, { id, sequence }: DeploymentRecord, check: Check): void {
  const own = deliveries.filter(({ event }) => event.subject === id);
  for (let number = 1; number <= sequence; number += 1) {
    const same = own.filter(({ event }) => event.id === `${id}.${number}`);
    check(same.length > 0, `${name}: nobody got event ${number}`);
    check(new Set(same.map(({ text }) => text)).size <= 1, `${name}: event ${number} has more than one content`);
  }
  const beyond = own.find(({ event }) => event.data.sequence > sequence);
  check(beyond === undefined, `${name}: event ${beyond?.event.id ?? ''} is on no record`);
}
