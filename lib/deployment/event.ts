import * as z from 'zod';
import type { Instant } from '../core/clock.ts';
import { runIdSchema as runId } from '../core/id-schemas.ts';
import type { RunId } from '../core/ids.ts';
import { REASON_CODES, type Reason } from '../core/reasons.ts';
import { snapshotSchema, type Snapshot } from '../state/snapshot.ts';

export const DEPLOYMENT_EVENTS = [
  'accepted',
  'superseded',
  'started',
  'preparing',
  'unprepared',
  'rescaling',
  'rescaled',
  'upgrading',
  'upgraded',
  'upgrade-failed',
  'stable',
  'unstable',
  'rolling-back',
  'rolled-back',
  'rejected',
  'delayed',
  'suspending',
  'suspended',
  'resumed',
  'blocked',
  'snapshot',
  'snapshot-failed',
  'finished',
  'deleted',
] as const;
export type DeploymentEventType = (typeof DEPLOYMENT_EVENTS)[number];

/** An entry of the outbox: all that its event says, so that each delivery has the same bytes. */
export interface DeploymentEvent {
  /** From 1, without gaps; with the deployment's id it is the event's id. */
  readonly sequence: number;
  readonly type: DeploymentEventType;
  readonly time: Instant;
  readonly generation: number;
  readonly notify: readonly string[];
  readonly run?: RunId;
  readonly snapshot?: Snapshot;
  readonly reason?: Reason;
  readonly message?: string;
  readonly choices?: readonly string[];
  readonly publishedAt?: Instant;
}

/** An entry of the outbox in a record. */
export const deploymentEvent = z.looseObject({
  sequence: z.int().positive(),
  type: z.enum(DEPLOYMENT_EVENTS),
  time: z.number(),
  generation: z.int().positive(),
  notify: z.array(z.string()),
  run: runId.exactOptional(),
  snapshot: snapshotSchema.exactOptional(),
  reason: z.enum(REASON_CODES).exactOptional(),
  message: z.string().exactOptional(),
  choices: z.array(z.string()).exactOptional(),
  publishedAt: z.number().exactOptional(),
}) satisfies z.ZodType<DeploymentEvent>;
