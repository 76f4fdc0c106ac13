import type { Duration } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { SavepointFormat } from '../../state/snapshot.ts';
import type { FlinkOptions, StatePlan } from '../job.ts';
import { parseDuration } from '../../core/duration.ts';
import { whyNoCron } from './fields.ts';

/** What the Flink Kubernetes operator and its autoscaler read, and Flink does not. */
const OF_THE_OPERATOR = /^(kubernetes\.operator|job\.autoscaler)\./;

/** Named lists of pod templates are merged by name, whatever it says: an entry never lands in another one's place. */
const MERGE_BY_NAME = 'kubernetes.operator.pod-template.merge-arrays-by-name';

/** Those that mean the same here for a stream that keeps its state. */
const STATE = {
  count: 'kubernetes.operator.savepoint.history.max.count',
  age: 'kubernetes.operator.savepoint.history.max.age',
  interval: 'kubernetes.operator.periodic.savepoint.interval',
  checkpointAge: 'kubernetes.operator.job.upgrade.last-state.max.allowed.checkpoint.age',
  format: 'kubernetes.operator.savepoint.format.type',
  fallback: 'kubernetes.operator.job.upgrade.last-state-fallback.enabled',
  probation: 'kubernetes.operator.deployment.readiness.timeout',
  rollback: 'kubernetes.operator.deployment.rollback.enabled',
} as const;

export function withoutOperatorOptions(options: FlinkOptions): FlinkOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !OF_THE_OPERATOR.test(key)));
}

/** A sentence for those that change nothing here; `keepsState`: in the spec of a stream that does. */
export function operatorNotes(options: FlinkOptions = {}, keepsState = false): readonly string[] {
  const known: readonly string[] = keepsState ? Object.values(STATE) : [];
  const keys = Object.keys(options).filter(
    (key) => OF_THE_OPERATOR.test(key) && key !== MERGE_BY_NAME && !known.includes(key),
  );
  if (keys.length === 0) return [];
  const [has, are] = keys.length === 1 ? ['has', 'is an option'] : ['have', 'are options'];
  return [`${keys.join(', ')} ${has} no effect: ${are} of the Flink Kubernetes operator, which a run does without`];
}

export interface OperatorState {
  readonly historyCount?: number;
  readonly historyAge?: Duration;
  readonly savepointEvery?: Duration;
  readonly savepointSchedule?: StatePlan['savepointSchedule'];
  readonly maxCheckpointAge?: Duration;
  readonly format?: SavepointFormat;
  readonly fallback?: StatePlan['fallback'];
  readonly probation?: Duration;
  readonly rollback?: StatePlan['rollback'];
}

/**
 * What the operator's options say of a stream's state.
 * @throws DispatchError `InvalidConfiguration` naming the option
 */
export function operatorState(options: FlinkOptions = {}): OperatorState {
  const read = <T>(key: string, parse: (text: string) => T | undefined, must: string): T | undefined => {
    const text = Object.hasOwn(options, key) ? options[key] : undefined;
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value !== undefined) return value;
    throw new DispatchError('InvalidConfiguration', `${key} '${text.slice(0, 80)}' must be ${must}`, { field: key });
  };
  const duration = 'a duration with a unit: 90s, 10 min, 1h, PT1H30M';
  const periodic = read(STATE.interval, periodicOf, `${duration}; or a cron expression of Quartz: ${QUARTZ}`);
  const fallback = read(STATE.fallback, booleanOf, 'true or false');
  const rollback = read(STATE.rollback, booleanOf, 'true or false');
  return defined({
    historyCount: read(STATE.count, countOf, 'a number from 1 to 1000'),
    historyAge: read(STATE.age, parseDuration, duration),
    ...periodic,
    maxCheckpointAge: read(STATE.checkpointAge, parseDuration, duration),
    format: read(STATE.format, formatOf, 'CANONICAL or NATIVE'),
    fallback: fallback === undefined ? undefined : fallback ? ('last-state' as const) : ('none' as const),
    probation: read(STATE.probation, parseDuration, duration),
    rollback: rollback === undefined ? undefined : rollback ? ('automatic' as const) : ('manual' as const),
  });
}

const QUARTZ =
  '0 0 3 * * ? (seconds, which must be 0, minutes, hours, day of month, month, day of week and, if need be, year)';

/** The operator's defaults, `0 ms` and nothing, are none. */
function periodicOf(text: string): Pick<OperatorState, 'savepointEvery' | 'savepointSchedule'> | undefined {
  const trimmed = text.trim();
  const every = trimmed === '' || trimmed === '0' ? 0 : parseDuration(trimmed);
  if (every !== undefined) return every === 0 ? {} : { savepointEvery: every };
  const cron = cronOfQuartz(trimmed);
  return cron === undefined ? undefined : { savepointSchedule: { cron, timeZone: 'UTC' } };
}

/** Quartz has seconds before the minutes and may leave the year out; all else it writes as EventBridge Scheduler does. */
function cronOfQuartz(text: string): string | undefined {
  const [seconds, ...fields] = text.split(/\s+/);
  if (seconds !== '0' || fields.length < 5) return undefined;
  const cron = (fields.length === 5 ? [...fields, '*'] : fields).join(' ');
  return whyNoCron(cron) === undefined ? cron : undefined;
}

function countOf(text: string): number | undefined {
  return /^[1-9]\d{0,2}$|^1000$/.test(text.trim()) ? Number(text) : undefined;
}

function formatOf(text: string): SavepointFormat | undefined {
  const upper = text.trim().toUpperCase();
  return upper === 'CANONICAL' || upper === 'NATIVE' ? upper : undefined;
}

function booleanOf(text: string): boolean | undefined {
  const lower = text.trim().toLowerCase();
  return lower === 'true' || (lower === 'false' ? false : undefined);
}
