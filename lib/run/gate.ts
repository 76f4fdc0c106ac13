import type { Duration, Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import type { Reason } from '../core/reasons.ts';
import type { PodFacts } from '../kubernetes/cluster/port.ts';
import { currentAttempt, updateAttempt } from './machine.ts';
import type { ActiveRun, Attempt, RunRecord } from './record.ts';

/** The same record while nothing changes: a gate that stays shut costs no writes. */
export function noteGate(run: ActiveRun, pods: readonly PodFacts[], now: Instant): ActiveRun {
  const { gate } = currentAttempt(run);
  const gated =
    run.state === 'running' ? undefined : pods.find(({ gates, deleting }) => gates !== undefined && !deleting);
  const isShut = gate?.since !== undefined;
  if ((gated !== undefined) === isShut) return run;
  const message = gated === undefined ? (gate?.message ?? '') : describeGate(gated);
  const since = gated && Math.min(now, Math.max(gated.createdAt, currentAttempt(run).launchedAt));
  return updateAttempt(run, { gate: { ...defined({ since }), before: gatedFor({ gate }, now), message } });
}

/** How long the attempt was, and is, kept from starting. */
export function gatedFor({ gate }: { readonly gate?: Attempt['gate'] | undefined }, now: Instant): Duration {
  if (gate === undefined) return 0;
  return gate.before + (gate.since === undefined ? 0 : Math.max(0, now - gate.since));
}

function describeGate({ name, gates = '' }: Pick<PodFacts, 'name' | 'gates'>): string {
  return `pod ${name} waits for its scheduling gates to open: ${gates}`;
}

/** Why a run waits: for its turn, or with its cluster behind a gate. */
export function waitOf({
  attempts,
  outcome,
  waiting,
}: Pick<RunRecord, 'attempts' | 'outcome' | 'waiting'>): Wait | undefined {
  if (waiting !== undefined) return waiting;
  const { gate } = attempts.at(-1) ?? {};
  if (outcome !== undefined || gate?.since === undefined) return undefined;
  return { reason: 'PodGated', since: gate.since, message: gate.message };
}

interface Wait {
  readonly reason: Reason;
  readonly since: Instant;
  readonly message: string;
}
