import * as z from 'zod';
import { DispatchError } from '../../core/errors.ts';
import { isDeploymentId, isRunId, type DeploymentId, type RunId } from '../../core/ids.ts';
import { isRecord } from '../../core/json.ts';

/** SQS delays a message by at most this much (SendMessage, DelaySeconds). */
const MAX_DELAY_SECONDS = 900;

/** Asks for one step of a run's life. `look` is the record's number at the time: an older message does nothing. */
export interface RunMessage {
  readonly version: 1;
  readonly runId: RunId;
  readonly step: number;
}

/** Asks for a look at a stream; one too many finds nothing to do. */
export interface DeploymentMessage {
  readonly version: 1;
  readonly deployment: DeploymentId;
}

export type QueueMessage = RunMessage | DeploymentMessage;

export function isRunMessage(message: QueueMessage): message is RunMessage {
  return 'runId' in message;
}

export interface RunQueue {
  /**
   * Durable when it returns; delivered at least once, not before the delay, in no order. A delay is rounded up to whole
   * seconds and cut to MAX_DELAY_SECONDS.
   * @throws DispatchError `StorageUnavailable` when the answer is lost (sending again is harmless), `PermissionDenied`.
   */
  send(message: QueueMessage, delaySeconds: number): Promise<void>;
}

const runMessage = z.object({
  version: z.literal(1, { error: 'must be 1' }),
  runId: z.custom<RunId>((value) => typeof value === 'string' && isRunId(value), {
    error: 'must be 20 lower-case hex digits',
  }),
  step: z.int().nonnegative(),
});

const deploymentMessage = z.object({
  version: z.literal(1, { error: 'must be 1' }),
  deployment: z.custom<DeploymentId>((value) => typeof value === 'string' && isDeploymentId(value), {
    error: 'must be 20 lower-case hex digits',
  }),
});

/** Of a later deployment, whose functions will understand it: nothing that this one should do away with. */
export function isOfLaterVersion(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    const version = isRecord(value) ? value['version'] : undefined;
    return typeof version === 'number' && version > 1;
  } catch {
    return false;
  }
}

/** Whatever the run queue may hold. @throws DispatchError `MalformedRequest` naming the field. */
export function parseQueueMessage(body: string): QueueMessage {
  const value = parseJson(body);
  return isRecord(value) && 'deployment' in value ? read(deploymentMessage, value) : read(runMessage, value);
}

/** @throws DispatchError `MalformedRequest` naming the field. */
export function parseRunMessage(body: string): RunMessage {
  return read(runMessage, parseJson(body));
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || 'body';
  throw new DispatchError('MalformedRequest', `not a run message: ${field}: ${issue?.message ?? 'invalid'}`, { field });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new DispatchError('MalformedRequest', 'not a run message: the body is no JSON', { field: 'body', cause });
  }
}

/** Whole seconds within SQS' range: rounded up, so that no look comes early. */
export function wholeDelay(seconds: number): number {
  if (!(seconds > 0)) return 0;
  return Math.min(MAX_DELAY_SECONDS, Math.ceil(seconds));
}
