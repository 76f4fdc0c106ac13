import { DispatchError } from '../core/errors.ts';
import type { MemoryRetry, ResolvedJob } from './job.ts';
import { judgeJob, type JudgeInput } from './judge/judge.ts';
import { parseFlinkMemory } from './spec/quantity.ts';

export type MemoryComponent = 'jobmanager' | 'taskmanager';
export const processSizeOf = (component: MemoryComponent): string => `${component}.memory.process.size`;

const COMPONENTS = ['jobmanager', 'taskmanager'] as const;

/** @throws DispatchError where `retry.memory` could not be, or would make of the job what is not allowed */
export function checkMemoryRetry(input: JudgeInput): void {
  const { job, userSpecs } = input;
  const { memory } = job.retry;
  // What the deployment says of all jobs says nothing of those in sessions.
  const isSaid = userSpecs.some(({ retry }) => retry?.memory !== undefined);
  if (memory === undefined || (job.mode === 'session' && !isSaid)) return;
  checkSizes(job, memory);
  const [found] = judgeJob({ ...input, job: atLimit(job, memory) });
  if (found === undefined) return;
  const field = 'retry.memory.limit';
  throw new DispatchError('NotAllowed', `${field}: ${found.message}`, { field });
}

/** There is a size of each process to grow from, which is all that the limit can bound. */
function checkSizes({ mode, options }: ResolvedJob, memory: MemoryRetry): void {
  const field = 'retry.memory';
  if (mode === 'session') {
    const message = `${field} is for clusters of one job: a session has the memory that it has`;
    throw new DispatchError('InvalidSpec', message, { field });
  }
  for (const component of COMPONENTS) {
    const key = processSizeOf(component);
    const size = options[key];
    const bytes = size === undefined ? undefined : parseFlinkMemory(size);
    const name = component === 'jobmanager' ? 'jobManager' : 'taskManager';
    if (bytes === undefined)
      throw new DispatchError('InvalidSpec', `${field} needs ${name}.resource.memory, which is not set`, { field });
    if (bytes > memory.limit) {
      const message = `${field}.limit ${memory.limit} bytes is less than ${name}.resource.memory ${size ?? ''}`;
      throw new DispatchError('InvalidSpec', message, { field: `${field}.limit` });
    }
  }
}

/** As large as it may ever become: what may not be made then may not be asked for now. */
function atLimit(job: ResolvedJob, { limit }: MemoryRetry): ResolvedJob {
  const largest = Object.fromEntries(COMPONENTS.map((component) => [processSizeOf(component), `${limit}b`]));
  return { ...job, options: { ...job.options, ...largest } };
}
