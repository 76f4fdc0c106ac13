import type { Duration, Instant } from '../core/clock.ts';

/** What asked for a run, as AWS told it, parsed and decoded. */
export type RunSource =
  | {
      readonly kind: 'jar-upload';
      readonly bucket: string;
      /** Decoded: an S3 notification carries it form-encoded, an EventBridge event does not. */
      readonly key: string;
      readonly versionId?: string;
      /** Orders events of one key; hexadecimal, of varying length (S3 event message structure). */
      readonly sequencer?: string;
      readonly eTag?: string;
      /** Bytes. */
      readonly size?: number;
      readonly eventTime: Instant;
    }
  | {
      readonly kind: 'message';
      readonly queueArn: string;
      readonly messageId: string;
      readonly idempotencyKey?: string;
      /** The firing of a schedule that it asks for, whether or not that ever came. */
      readonly tick?: Tick;
    }
  | {
      readonly kind: 'schedule';
      readonly schedule: string;
      readonly scheduledTime: Instant;
      /** IANA name, for the dates of placeholders; UTC when absent. */
      readonly timeZone?: string;
      /** The alias by which the function was called, which only the schedules of one group may do: AWS' own word. */
      readonly calledBy?: string;
    }
  | {
      readonly kind: 'http';
      /** Lambda's own, of the call. */
      readonly requestId: string;
      readonly caller: Caller;
      readonly idempotencyKey?: string;
      /** The CloudEvent that was delivered. */
      readonly event?: EventId;
    };

/** By its source and its id a CloudEvent is known. */
export interface EventId {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
}

/** One firing of a schedule. */
export interface Tick {
  readonly schedule: string;
  readonly scheduledTime: Instant;
  /** IANA name, for the dates of placeholders; UTC when absent. */
  readonly timeZone?: string;
}

/** The firing that a request is of. */
export function tickOf(source: RunSource): Tick | undefined {
  if (source.kind === 'schedule') return source;
  return source.kind === 'message' ? source.tick : undefined;
}

/** Who calls by HTTP: as IAM says, or a token whose signature was verified. */
export type Caller =
  | {
      readonly kind: 'iam';
      /** `arn:aws:iam::<account>:role/<name>` or `…:user/<path and name>`: of a session its role, without its path. */
      readonly principal: string;
    }
  | {
      readonly kind: 'token';
      readonly issuer: string;
      readonly subject: string;
      /** Those that the configuration asks for. */
      readonly claims: Readonly<Record<string, readonly string[]>>;
    };

export function callerText(caller: Caller): string {
  return caller.kind === 'iam' ? caller.principal : `${caller.subject} of ${caller.issuer}`;
}

/** One wish for a run, before any of its job is known to be valid. */
export interface RunRequest {
  readonly source: RunSource;
  /** Equal for all deliveries of the same request, different for any other. */
  readonly identity: string;
  /** By its source alone, and no word of the request; absent without tenants, and for a source that has none. */
  readonly tenant?: string;
  /** The spec that came with the request, unparsed; absent for an upload, whose spec lies beside the jar. */
  readonly spec?: unknown;
  /** The message as it came, or the part of it that this is, for the dead letter of one that is refused. */
  readonly body?: string;
  /** What it is listed and canceled by, with others. */
  readonly tag?: string;
  /** Of a task of a state machine that waits for the end of the run. Whoever has it may answer the task. */
  readonly taskToken?: string;
  /** How long after its time a schedule's firing is still of use. */
  readonly startingDeadline?: Duration;
  /** Whoever asks hears at once what is wrong, and no rejected run is kept. */
  readonly isAnswered?: true;
  /** A stored job to start from; `spec` overrides parts of it. */
  readonly job?: string;
}
