import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { isRunId, type RunId } from '../core/ids.ts';
import { toWireText } from '../core/wire-text.ts';
import type { RunSource } from '../trigger/request.ts';
import { waitOf } from './gate.ts';
import type { OutcomeState, RunRecord, RunState } from './record.ts';

/** What a list says of where a run is: its outcome once it has one. */
export const ROW_STATES = [
  ...(['accepted', 'waiting', 'starting', 'running'] as const),
  ...(['succeeded', 'failed', 'canceled', 'rejected', 'skipped', 'unknown'] as const),
] satisfies readonly (OutcomeState | RunState)[];
export type RowState = (typeof ROW_STATES)[number];

export const TRIGGERS = ['jar-upload', 'message', 'schedule', 'http'] as const satisfies readonly RunSource['kind'][];

/** What a list shows of a run, and filters by. Its text is an object's key, so that a list reads no record. */
export interface RunRow {
  readonly runId: RunId;
  readonly tenant?: string;
  readonly name: string;
  readonly trigger: RunSource['kind'];
  readonly state: RowState;
  /** Of its outcome, or why it waits. */
  readonly reason?: string;
  readonly acceptedAt: Instant;
  /** When it had its outcome. */
  readonly endedAt?: Instant;
  readonly attempts: number;
  readonly tag?: string;
}

/** 13 digits: keys sort by their bytes, and the newest run comes first. */
const LAST_INSTANT = 9_999_999_999_999;
/** Characters; a key has at most 1024 bytes. */
const MAX_NAME = 45;
const SEPARATOR = '~';

export function rowOf(run: RunRecord): RunRow {
  const { runId, tenant, name, source, outcome, createdAt, attempts, tag } = run;
  return {
    runId,
    ...defined({ tenant }),
    name: [...toWireText(name)].slice(0, MAX_NAME).join(''),
    trigger: source.kind,
    state: stateOf(run),
    ...defined({ reason: outcome?.reason ?? waitOf(run)?.reason }),
    acceptedAt: createdAt,
    ...defined({ endedAt: outcome?.at }),
    attempts: attempts.length,
    ...defined({ tag }),
  };
}

/** Its outcome, once it has one. */
export function stateOf({ state, outcome }: Pick<RunRecord, 'state' | 'outcome'>): RowState {
  if (outcome !== undefined) return outcome.state;
  return state === 'accepted' || state === 'waiting' || state === 'running' ? state : 'starting';
}

/** The row as a part of a key: texts of rows sort by the time at which their runs were accepted, the newest first. */
export function rowText(row: RunRow): string {
  const { runId, tenant = '', trigger, state, reason = '', acceptedAt, endedAt, attempts, name, tag } = row;
  const times = [String(LAST_INSTANT - acceptedAt).padStart(13, '0'), endedAt?.toString(36) ?? ''] as const;
  const tagged = tag === undefined ? [] : [tag];
  const parts = [times[0], runId, tenant, trigger, state, reason, times[1], attempts.toString(36), name, ...tagged];
  return parts.map(encode).join(SEPARATOR);
}

/** Undefined for what is no row, or one of a later version. */
export function parseRow(text: string): RunRow | undefined {
  const [inverted = '', runId = '', tenant, trigger, state, reason, ended = '', attempts, name, tag] = decoded(text);
  const acceptedAt = LAST_INSTANT - Number(inverted);
  const knownTrigger = TRIGGERS.find((one) => one === trigger);
  const knownState = ROW_STATES.find((one) => one === state);
  if (!isRunId(runId) || !Number.isInteger(acceptedAt) || name === undefined) return undefined;
  if (knownTrigger === undefined || knownState === undefined) return undefined;
  return {
    runId,
    ...defined({ tenant: tenant === '' ? undefined : tenant }),
    name,
    trigger: knownTrigger,
    state: knownState,
    ...defined({ reason: reason === '' ? undefined : reason }),
    acceptedAt,
    ...defined({ endedAt: ended === '' ? undefined : Number.parseInt(ended, 36) }),
    attempts: Number.parseInt(attempts ?? '0', 36),
    ...defined({ tag }),
  };
}

function encode(part: string): string {
  return encodeURIComponent(part).replaceAll(SEPARATOR, '%7E');
}

function decoded(text: string): readonly string[] {
  try {
    return text.split(SEPARATOR).map(decodeURIComponent);
  } catch {
    return [];
  }
}
