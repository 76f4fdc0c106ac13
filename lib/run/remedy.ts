import { defined } from '../core/defined.ts';
import { reasonClass, type Reason } from '../core/reasons.ts';
import { processSizeOf, type MemoryComponent } from '../job/memory-remedy.ts';
import type { FlinkOptions, ResolvedJob } from '../job/job.ts';
import { parseFlinkMemory } from '../job/spec/quantity.ts';
import type { OptionChange, Outcome } from './record.ts';

const MIB = 1024 * 1024;
const OUT_OF_MEMORY: readonly Reason[] = ['JobManagerOutOfMemory', 'TaskManagerOutOfMemory'];
/** More memory gives a process neither more threads nor longer arrays. */
const NO_SIZE_HELPS =
  /OutOfMemoryError: (?:unable to create (?:new )?native thread|Requested array size exceeds VM limit)/;

/** A part of a process' memory that can run out by itself. */
interface Part {
  readonly keys: readonly string[];
  /** Bytes, where no option says it: Flink's own default. */
  readonly usual: number;
}

interface Shortage {
  readonly component: MemoryComponent;
  /** Absent: of the process as a whole, whose parts grow with it. */
  readonly part?: Part;
  /** Bytes of it that there were, where Flink says so. */
  readonly had?: number;
}

const HEAP = /OutOfMemoryError: (?:Java heap space|GC overhead limit exceeded)/;
const METASPACE = /OutOfMemoryError: (?:Metaspace|Compressed class space)/;
const DIRECT = /OutOfMemoryError: (?:Direct buffer memory|Cannot reserve \d+ bytes of direct buffer memory)/;
/** NetworkBufferPool: `…currently set to 2048 of 32768 bytes each`. */
const NETWORK = /Insufficient number of network buffers: .*?currently set to (\d+) of (\d+) bytes each/s;

/**
 * What the next attempt of a job that ran out of memory has more of, key by key, as `retry.memory` says; undefined where the
 * failure was another one, and where there is no more to give.
 */
export function memoryRemedy(job: ResolvedJob, outcome: Outcome): readonly OptionChange[] | undefined {
  const { memory } = job.retry;
  const shortage = memory && job.mode !== 'session' ? shortageIn(outcome, job.options) : undefined;
  if (memory === undefined || shortage === undefined || outcome.state !== 'failed') return undefined;
  const { component, part, had } = shortage;
  const key = processSizeOf(component);
  const process = bytesOf(job.options, key);
  if (process === undefined) return undefined;
  if (part === undefined) return changes(job.options, [[key, Math.min(process * memory.factor, memory.limit)]]);
  const size = had ?? part.keys.map((name) => bytesOf(job.options, name)).find(Boolean) ?? part.usual;
  // What the part gets is not taken from the others.
  const room = memory.limit - process;
  const more = Math.min(size * (memory.factor - 1), room);
  if (more < MIB) return undefined;
  return changes(job.options, [[key, process + more], ...part.keys.map((name) => [name, size + more] as const)]);
}

/** Whether another attempt may follow one that ended for that reason: what may have finished is not called failed then. */
export function isTriedAgain({ retry }: ResolvedJob, reason: Reason): boolean {
  return reasonClass(reason) !== 'user' || (retry.memory !== undefined && OUT_OF_MEMORY.includes(reason));
}

/** The job with them. */
export function withChanges(job: ResolvedJob, changed: readonly OptionChange[]): ResolvedJob {
  return { ...job, options: { ...job.options, ...Object.fromEntries(changed.map(({ key, to }) => [key, to])) } };
}

function shortageIn(
  { reason, message, rootException, stackTrace, evidence }: Outcome,
  options: FlinkOptions,
): Shortage | undefined {
  const said = [message, rootException, stackTrace, ...evidence].join('\n');
  if (NO_SIZE_HELPS.test(said)) return undefined;
  switch (reason) {
    case 'JobManagerOutOfMemory':
      return { component: 'jobmanager', ...defined({ part: jobManagerPart(said) }) };
    case 'TaskManagerOutOfMemory':
      return { component: 'taskmanager', ...taskManagerPart(said, options) };
    case 'JobFailed': {
      const part = taskManagerPart([rootException, stackTrace].join('\n'), options);
      return part === undefined ? undefined : { component: 'taskmanager', ...part };
    }
    // main() runs in the JobManager.
    case 'ApplicationFailed': {
      const thrown = [rootException, stackTrace].join('\n');
      const part = jobManagerPart(thrown);
      return part !== undefined || HEAP.test(thrown) ? { component: 'jobmanager', ...defined({ part }) } : undefined;
    }
    default:
      return undefined;
  }
}

function jobManagerPart(said: string): Part | undefined {
  if (METASPACE.test(said)) return { keys: ['jobmanager.memory.jvm-metaspace.size'], usual: 256 * MIB };
  if (DIRECT.test(said)) return { keys: ['jobmanager.memory.off-heap.size'], usual: 128 * MIB };
  return undefined;
}

/** Of a task's exception, or of a TaskManager that it ended. */
function taskManagerPart(said: string, options: FlinkOptions): Omit<Shortage, 'component'> | undefined {
  const [, buffers, bytes] = NETWORK.exec(said) ?? [];
  if (buffers !== undefined && bytes !== undefined) {
    const keys = ['taskmanager.memory.network.min', 'taskmanager.memory.network.max'];
    return { part: { keys, usual: 64 * MIB }, had: Number(buffers) * Number(bytes) };
  }
  if (METASPACE.test(said)) return { part: { keys: ['taskmanager.memory.jvm-metaspace.size'], usual: 256 * MIB } };
  if (DIRECT.test(said)) {
    const key = 'taskmanager.memory.task.off-heap.size';
    return { part: { keys: [key], usual: 0 }, had: Math.max(128 * MIB, bytesOf(options, key) ?? 0) };
  }
  return HEAP.test(said) ? {} : undefined;
}

function bytesOf(options: FlinkOptions, key: string): number | undefined {
  const text = options[key];
  return text === undefined ? undefined : parseFlinkMemory(text);
}

/** Whole mebibytes, as Flink counts them; undefined when none of them grows. */
function changes(
  options: FlinkOptions,
  wanted: readonly (readonly [key: string, bytes: number])[],
): readonly OptionChange[] | undefined {
  const made = wanted.flatMap(([key, bytes]) => {
    const grows = bytes >= (bytesOf(options, key) ?? 0) + MIB;
    return grows ? [{ key, from: options[key] ?? 'default', to: `${Math.floor(bytes / MIB)}m` }] : [];
  });
  // The process always grows: without room for it no part has more.
  return made[0] !== undefined && made[0].key === wanted[0]?.[0] ? made : undefined;
}
