import type { Instant } from '../../core/clock.ts';
import type { PlannedOperators } from '../../flink/plan/operators.ts';
import type { StatePlan } from '../../job/job.ts';
import type { OperatorContent, SnapshotContent } from '../../state/metadata/read-metadata.ts';

/** What the operators of the next run make of the state that is there. */
export interface StateCheck {
  readonly at: Instant;
  /** `unknown`: it could not be told, and the upgrade goes on. */
  readonly result: 'fits' | 'drops' | 'unknown';
  /** Which operators' state would be left out, or why it is not known. */
  readonly message?: string;
  /** The snapshot that was looked at. */
  readonly path?: string;
}

/** Whether the next run, which is ready, is to be compared with the state first. */
export function isToCheck({ checkState, upgradeMode }: StatePlan, checked: StateCheck | undefined): boolean {
  return checkState === true && upgradeMode !== 'stateless' && checked === undefined;
}

export const STATE_CHOICES = [
  'a job that has these operators, with the same uids',
  'job.allowNonRestoredState: true, to leave their state out',
  'job.checkState: false, where Flink maps them by setUidHash',
];

/** In a sentence; undefined: all of it finds its operator. */
export function stateMessage({ result, message }: Pick<StateCheck, 'result' | 'message'>): string | undefined {
  return result === 'unknown' ? `The state was not compared with the new program: ${message ?? ''}` : message;
}

/** Names of operators in a message. */
const MOST_NAMED = 5;

/** Flink refuses to leave out the state of an operator that the program has not, unless it is told to. */
export function compareState(
  { operators }: SnapshotContent,
  { ids, isComplete, withoutUid }: PlannedOperators,
  { isAllowed }: { readonly isAllowed: boolean },
): Pick<StateCheck, 'result' | 'message'> {
  const known = new Set(ids);
  const dropped = operators.filter(({ id, hasState }) => hasState && !known.has(id));
  if (dropped.length === 0) return { result: 'fits' };
  if (!isComplete)
    return { result: 'unknown', message: 'the plan of the new program does not tell of all its operators' };
  const lost = `state of ${listed(dropped.map(textOf))}`;
  if (isAllowed) return { result: 'fits', message: `The ${lost} is left out, as job.allowNonRestoredState has it` };
  return { result: 'drops', message: `The new program has no operator for the ${lost}${moved(withoutUid)}` };
}

function listed(texts: readonly string[]): string {
  const more = texts.length - MOST_NAMED;
  return `${texts.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function textOf({ id, uid, name, bytes }: OperatorContent): string {
  const called =
    uid === undefined ? name && ` '${name.slice(0, 100)}' without uid` : ` with uid '${uid.slice(0, 100)}'`;
  return `operator ${id}${called ?? ''} (${bytes} bytes)`;
}

function moved(withoutUid: readonly string[]): string {
  if (withoutUid.length === 0) return '';
  const names = listed(withoutUid.map((name) => `'${name}'`));
  return `. It has operators without uid, whose ids change with the shape of the job: ${names}`;
}
