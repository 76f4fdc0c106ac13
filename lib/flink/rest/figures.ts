import type * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { detailsPath } from '../archive/paths.ts';
import { MAX_VERTICES, type CheckpointSample, type JobAnswers } from '../job-history.ts';
import type { JobFigures, SampledJob, VertexCounts } from '../job-history.ts';
import { CheckpointFigures, JobGraph } from './history-answers.ts';

type Graph = z.infer<typeof JobGraph>;
type Checkpoints = z.infer<typeof CheckpointFigures>;

/** What answers that were had anyway tell of a job; undefined where they do not tell of its graph. */
export function figuresIn(jobId: string, answers: JobAnswers): JobFigures | undefined {
  const graph = JobGraph.safeParse(answers[detailsPath(jobId)]);
  const checkpoints = CheckpointFigures.safeParse(answers[`${detailsPath(jobId)}/checkpoints`]);
  return graph.success ? figuresOf(graph.data, checkpoints.data) : undefined;
}

export function figuresOf(graph: Graph, checkpoints: Checkpoints | undefined): JobFigures {
  const { completed = 0, failed = 0 } = checkpoints?.counts ?? {};
  return {
    job: jobOf(graph),
    counts: graph.vertices.slice(0, MAX_VERTICES).map(countsOf),
    ...defined({
      checkpoint: newestOf(checkpoints),
      checkpoints: completed + failed > 0 ? { completed, failed } : undefined,
    }),
  };
}

function jobOf({ jid, name, vertices, plan }: Graph): SampledJob {
  const inputs = new Map(plan.nodes.map((node) => [node.id, node.inputs]));
  return {
    ...{ id: jid, name },
    vertices: vertices.slice(0, MAX_VERTICES).map((vertex) => {
      return { id: vertex.id, name: vertex.name, parallelism: vertex.parallelism, inputs: inputs.get(vertex.id) ?? [] };
    }),
  };
}

function countsOf({ counts }: Graph['vertices'][number]): VertexCounts {
  return {
    recordsIn: counts['read-records'],
    recordsOut: counts['write-records'],
    bytesIn: counts['read-bytes'],
    bytesOut: counts['write-bytes'],
    ...defined({
      busy: whole(counts['accumulated-busy-time']),
      idle: whole(counts['accumulated-idle-time']),
      backPressured: whole(counts['accumulated-backpressured-time']),
    }),
  };
}

function newestOf(checkpoints: Checkpoints | undefined): CheckpointSample | undefined {
  const completed = checkpoints?.latest.completed;
  if (!completed) return undefined;
  const { id, latest_ack_timestamp: at, end_to_end_duration: duration, state_size: bytes } = completed;
  return { id, at, duration, bytes, ...defined({ written: completed.checkpointed_size }) };
}

function whole(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}
