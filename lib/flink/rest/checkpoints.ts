import type * as z from 'zod';
import { defined } from '../../core/defined.ts';
import type { CompletedCheckpoint, JobCheckpoints } from '../job-manager.ts';
import { CheckpointingStatistics } from './answers.ts';
import { call } from './call.ts';
import { restPath, type RestTransport } from './transport.ts';

type Latest = z.output<typeof CheckpointingStatistics>['latest'];
type Told = NonNullable<Latest['completed']>;

/** Flink's own placeholder for a checkpoint that it keeps in memory alone. */
const NOT_ADDRESSABLE = /^<.*>$/;

/** GET /jobs/<id>/checkpoints. */
export async function jobCheckpoints(transport: RestTransport, jobId: string): Promise<JobCheckpoints> {
  const request = { method: 'GET', path: restPath('jobs', jobId, 'checkpoints') } as const;
  const { counts, latest } = await call(transport, request, CheckpointingStatistics);
  return {
    ...defined({ newest: newestOf(latest), restored: restoredOf(latest) }),
    completedSinceRestore: counts.completed,
    failed: counts.failed,
    inProgress: counts.in_progress,
  };
}

function newestOf({ completed, savepoint }: Latest): CompletedCheckpoint | undefined {
  const all = [completed, savepoint].flatMap((one) => (one ? completedOf(one) : []));
  return all.sort((a, b) => b.id - a.id)[0];
}

function completedOf({ external_path: path, discarded, ...told }: Told): CompletedCheckpoint[] {
  if (!path || discarded || NOT_ADDRESSABLE.test(path)) return [];
  const { id, is_savepoint: isSavepoint, latest_ack_timestamp: at, state_size: bytes } = told;
  return [{ id, path: withoutSlash(path), isSavepoint, ...formatOf(told), at, bytes }];
}

function formatOf({ savepointFormat }: Pick<Told, 'savepointFormat'>): Pick<CompletedCheckpoint, 'format'> {
  const format = (['CANONICAL', 'NATIVE'] as const).find((name) => name === savepointFormat);
  return defined({ format });
}

function restoredOf({ restored }: Latest): JobCheckpoints['restored'] {
  if (!restored) return undefined;
  const { id, external_path: path } = restored;
  return { id, ...(path ? { path: withoutSlash(path) } : {}) };
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
