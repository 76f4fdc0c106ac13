import type { Duration, Instant } from '../../core/clock.ts';
import { mainContainer } from '../../kubernetes/cluster/containers.ts';
import type { PodFacts } from '../../kubernetes/cluster/port.ts';
import type { Attempt } from '../record.ts';

/** A TaskManager that has nothing to do is released after 30 s. */
const FIRST: Duration = 20_000;
const LONGEST: Duration = 30 * 60_000;
/** Of one attempt, and of one look. */
export const MAX_LOGS = 20;
const MOST_AT_ONCE = 4;

/**
 * Pods whose log is to be kept now, in case they go before the run ends: each at an age of 20 s, 40 s, 80 s and so on, at
 * most half an hour apart, and once more when it is about to go. A day costs some fifty requests a pod.
 */
export function logsDue(attempt: Attempt, pods: readonly PodFacts[], now: Instant): readonly PodFacts[] {
  const kept = attempt.logsKept ?? {};
  const due = pods.filter((pod) => isDue(pod, kept[pod.name], now));
  const known = due.filter(({ name }) => kept[name] !== undefined);
  const fresh = due.filter(({ name }) => kept[name] === undefined);
  const room = Math.max(0, MAX_LOGS - Object.keys(kept).length);
  return [...fresh.slice(0, room), ...known].slice(0, MOST_AT_ONCE);
}

function isDue({ containers, createdAt, deleting, phase }: PodFacts, kept: Instant | undefined, now: Instant): boolean {
  const main = mainContainer({ containers });
  if (main === undefined || main.state === 'waiting') return false;
  if (kept === undefined) return now - createdAt >= FIRST || deleting || phase === 'Failed' || phase === 'Succeeded';
  if ((main.finishedAt ?? 0) >= kept) return true;
  if (main.state !== 'running') return false;
  return now - kept >= (deleting ? 1_000 : Math.min(LONGEST, Math.max(FIRST, kept - createdAt)));
}

/** What of the attempt changes when the logs of these pods were asked for, and these artifacts were had. */
export function noteLogs(
  attempt: Attempt,
  { asked, had }: { readonly asked: readonly string[]; readonly had: readonly string[] },
  now: Instant,
): Partial<Attempt> {
  return {
    logsKept: { ...attempt.logsKept, ...Object.fromEntries(asked.map((name) => [name, now])) },
    artifacts: [...new Set([...(attempt.artifacts ?? []), ...had])],
  };
}

/** The artifact that has a pod's log. */
export function logName(pod: string): string {
  return `${pod}.log`;
}
