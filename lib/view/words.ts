import type { StepKind } from './timeline.ts';

/** How spans, states and steps are written, on the page and in reports. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function span(ms: number): string {
  if (ms < 0) return '0 s';
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < 2 * MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < 2 * HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / SECOND)} s`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

/** What a state looks like without colour. */
const MARKS: Readonly<Record<string, string>> = {
  ...{ accepted: '○', waiting: '◔', starting: '◑', running: '●' },
  ...{ succeeded: '✓', failed: '✕', canceled: '■', rejected: '⊘', unknown: '?' },
  ...{ ok: '✓', blocked: '✕', suspended: '■', finished: '✓', deleted: '■' },
};

export function markOf(state: string): string {
  return MARKS[state] ?? '◑';
}

export const STEP_WORDS: Readonly<Record<StepKind, string>> = {
  accepted: 'Accepted',
  waiting: 'Waits',
  creating: 'Creates the cluster',
  starting: 'Starts',
  ready: 'Ready before its turn',
  running: 'Runs',
  removing: 'Removes the cluster',
};
