import type { Storage } from '../../cluster/support/s3.ts';
import type { Tenant } from '../../cluster/support/tenant.ts';

export type Version = 'first' | 'changed';

/** Where a bench's streams run, and what they are. */
export interface Place {
  readonly flink: string;
  readonly tenant: Tenant;
  readonly storage: Storage;
  readonly jars: Readonly<Record<Version, Buffer>>;
  /** Of Flink, for all ways: the state's storage and the interval of checkpoints. */
  readonly options: Readonly<Record<string, string>>;
}

/** One way to run a stream and to change its program. */
export interface StreamWay {
  readonly name: string;
  start(version: Version, args: readonly string[]): Promise<void>;
  /** From a savepoint of the job that runs now; returns when nothing more is to be done for it, whether it runs or not. */
  upgrade(version: Version, args: readonly string[], jobId: string): Promise<void>;
  /** Ends what runs last. */
  stop(): Promise<void>;
}
