import type { Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { runIdFor, type RunId } from '../../core/ids.ts';
import { omit } from '../../core/omit.ts';
import type { Autoscale } from '../../job/job.ts';
import type { RunRecord } from '../../run/record.ts';
import { addEvent, fail } from '../events.ts';
import { bounded, nextNumber } from '../generations.ts';
import { generationOf, type DeploymentRecord, type DeploymentRun, type Generation } from '../record.ts';
import { isStable } from '../stable.ts';
import { scaledText } from './scaled-job.ts';
import { recent, recommend, sampleEvery, type LoadSample } from './recommend.ts';

/** Before a parallelism that did not come true is tried again, or another. */
const PATIENCE = 10;

export interface Autoscaled {
  /** With another generation wanted, where the load asks for it. */
  readonly record: DeploymentRecord;
  /** Whether its JobManager is to be asked. */
  readonly look: boolean;
  readonly dueAt?: Instant;
}

interface Running {
  readonly own: DeploymentRun;
  readonly run: RunRecord;
  readonly wanted: Generation;
  readonly now: Instant;
}

/** Gives a job that runs well the parallelism that its load asks for: by a generation, as a person's order would. */
export function autoscale(record: DeploymentRecord, { own, run, wanted, now }: Running): Autoscaled {
  const { autoscale: rule } = wanted.plan;
  if (rule === undefined || !maySample(record, { own, run, wanted })) return { record, look: false };
  const from = sampleFrom(record, wanted);
  if (from === undefined) return { record, look: false };
  if (now < from) return { record, look: false, dueAt: from };
  const every = sampleEvery(rule);
  const dueAt = (own.load?.at ?? 0) + every;
  if (now >= dueAt) return { record, look: true, dueAt: now + every };
  const samples = own.load?.samples ?? [];
  const last = samples.at(-1);
  // Flink has been asked already: it has no room for all of them.
  const isShort = record.reached === wanted.number && last?.parallelism !== wanted.scale?.parallelism;
  const parallelism = recommend(samples, rule);
  if (parallelism === undefined || isShort || !mayScale(record, rule, now)) return { record, look: false, dueAt };
  return { record: scaleTo(record, wanted, { parallelism, last, now }), look: false, dueAt };
}

/** One that is new shows first whether it is stable. */
function maySample(record: DeploymentRecord, { own, run, wanted }: Omit<Running, 'now'>): boolean {
  if (run.state !== 'running' || own.runningAt === undefined || record.request !== undefined) return false;
  return wanted.scale?.inPlace === true && isStable(record, own);
}

/** At once where what is wanted runs, and a while after a parallelism that did not come true; undefined: not at all. */
function sampleFrom({ reached, settled }: DeploymentRecord, wanted: Generation): Instant | undefined {
  const { number, plan, autoscaledAt } = wanted;
  if (reached === number) return 0;
  if (autoscaledAt === undefined || settled?.generation !== number) return undefined;
  return settled.at + PATIENCE * (plan.autoscale?.window ?? 0);
}

/** Not more often than the window. */
function mayScale({ generations }: DeploymentRecord, { window }: Autoscale, now: Instant): boolean {
  const last = generations.findLast(({ autoscaledAt }) => autoscaledAt !== undefined)?.autoscaledAt;
  return last === undefined || now - last >= window;
}

function scaleTo(
  record: DeploymentRecord,
  wanted: Generation,
  { parallelism, last, now }: { parallelism: number; last: LoadSample | undefined; now: Instant },
): DeploymentRecord {
  const { scale } = wanted;
  if (scale === undefined) return record;
  const number = nextNumber(record);
  const { vertices } = scale;
  const generation: Generation = {
    ...omit(wanted, 'superseded', 'rejected', 'rollbackOf'),
    // Nobody sent it: a request that is being taken meanwhile is no older than what it takes the place of.
    ...{ number, by: 'autoscale', autoscaledAt: now },
    requestId: runIdFor(`autoscale\n${record.id}\n${number}`),
    jobIn: wanted.jobIn ?? wanted.requestId,
    job: scaledText(scale.of, { parallelism, ...defined({ vertices }) }),
    scale: { ...scale, parallelism },
  };
  const added = { ...record, generations: [...record.generations, generation], wanted: number };
  const share = Math.round((last?.busy ?? 0) * 100);
  const message = `The busiest vertex works ${share} % of its time in ${last?.parallelism ?? 0} subtasks: job.autoscale has it run in ${parallelism}`;
  return bounded(addEvent(added, 'accepted', now, { generation: number, message }));
}

/** What the JobManager told of the load, unless it is of another run or scale. `sample` is absent where it tells of none. */
export function noteLoad(
  record: DeploymentRecord,
  runId: RunId,
  at: Instant,
  sample: Omit<LoadSample, 'at'> | undefined,
): DeploymentRecord {
  const { run, wanted, settled } = record;
  const rule = generationOf(record, wanted)?.plan.autoscale;
  const isChanging = run?.rescale?.generation === wanted && settled?.generation !== wanted;
  if (run?.id !== runId || isChanging || rule === undefined) return record;
  const samples = sample === undefined ? [] : recent([...(run.load?.samples ?? []), { at, ...sample }], rule);
  return { ...record, run: { ...run, load: { at, samples } } };
}

/** A parallelism that the load asked for, and that does not come true, is no reason to end the job. */
export function giveUpAutoscale(record: DeploymentRecord, wanted: Generation, now: Instant): DeploymentRecord {
  const { unscaled, settled } = record;
  const isOver = unscaled?.generation === wanted.number && settled?.generation !== wanted.number;
  if (!isOver || wanted.autoscaledAt === undefined) return record;
  const message = `The job runs on as it does, since its parallelism could not be changed: ${unscaled.message}`;
  const choices = ['room for more TaskManagers', 'a lower job.autoscale.max'];
  return fail(record, { reason: 'SlotsUnavailable', message, choices }, now);
}
