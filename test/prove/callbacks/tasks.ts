import type { Draws } from '../draws.ts';
import type { Wish } from '../workload.ts';

/** Whether a task of a state machine sends the message, and waits for the end of the run. */
export function hasTask(draws: Draws, { name, kind, streams }: Pick<Wish, 'name' | 'kind' | 'streams'>): boolean {
  return kind === 'message' && !streams && draws.chance(`${name} is waited for by a task`, 0.3);
}

/** Of the task that sent it, or of the one that a state machine began when that had failed. */
export function tokenOf({ name }: Pick<Wish, 'name'>, turn: 1 | 2): string {
  return `token-${name}-${turn}`;
}

/** Of the tasks that send one request. */
export function tokensBeside(taskToken: string): readonly string[] {
  const request = taskToken.slice(0, -1);
  return [`${request}1`, `${request}2`];
}
