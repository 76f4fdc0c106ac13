import { parseObjectText } from '../../core/yaml.ts';
import { isRecord } from '../../core/json.ts';
import { runIdFor, type RunId } from '../../core/ids.ts';
import { defined } from '../../core/defined.ts';
import type { Instant } from '../../core/clock.ts';
import { identityIn } from '../../job/config/tenants.ts';
import type { Times } from '../../job/calendar/firings.ts';
import { tickIdentity } from '../../trigger/schedule.ts';

/** A schedule of the installation's group, as EventBridge Scheduler has it. */
export interface Scheduled {
  readonly name: string;
  readonly arn: string;
  readonly times: Times;
  readonly state: 'active' | 'suspended';
  readonly createdAt?: Instant;
  /** What its target is called with. */
  readonly input: string;
}

/** What a schedule runs, in the words of a job message. */
export interface ScheduledJob {
  readonly runJob?: string;
  readonly spec?: Record<string, unknown>;
  readonly timeZone?: string;
}

/**
 * Undefined for a schedule whose input is none of this product's.
 * @throws DispatchError `MalformedRequest` for an input that is neither JSON nor YAML
 */
export function scheduledJob({ name, input }: Pick<Scheduled, 'name' | 'input'>): ScheduledJob | undefined {
  const { job, runJob = job, spec, timeZone } = parseObjectText(input, `the input of schedule ${name}`);
  if (typeof runJob !== 'string' && !isRecord(spec)) return undefined;
  return {
    ...(typeof runJob === 'string' ? { runJob } : {}),
    ...(isRecord(spec) ? { spec } : {}),
    ...(typeof timeZone === 'string' ? { timeZone } : {}),
  };
}

/** Which run a firing is, whoever asks for it. */
export function runOfFiring(
  { arn }: Pick<Scheduled, 'arn'>,
  { runJob: job, spec, timeZone }: ScheduledJob,
  scheduledTime: Instant,
  tenant: string | undefined,
): RunId {
  const tick = { schedule: arn, scheduledTime, ...defined({ timeZone }) };
  return runIdFor(identityIn(tenant, tickIdentity(tick, defined({ job, spec }))));
}
