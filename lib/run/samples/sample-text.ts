import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { redactText } from '../../core/redaction/redact.ts';
import { MAX_VERTICES, type SampledJob, type VertexCounts } from '../../flink/job-history.ts';
import type { Sample } from './sample.ts';

/*
 * Samples as they are stored: lines of JSON. A line with `job` tells of which job those behind it are; one with `at` is a sample,
 * with the counts of its vertices as bare numbers in the order of the job's. Lines that are not known are passed over.
 */
const count = z.number().nullable();
const vertexSchema = z.object({
  id: z.string(),
  name: z.string(),
  parallelism: z.number(),
  inputs: z.array(z.object({ id: z.string(), ship: z.string().exactOptional() })),
});
const jobLine = z.object({ job: z.object({ id: z.string(), name: z.string(), vertices: z.array(vertexSchema) }) });
const sampleLine = z.object({
  at: z.number(),
  counts: z.array(z.tuple([z.number(), z.number(), z.number(), z.number(), count, count, count, count])),
  checkpoint: z
    .object({
      id: z.number(),
      at: z.number(),
      duration: z.number(),
      bytes: z.number(),
      written: z.number().exactOptional(),
    })
    .exactOptional(),
  checkpoints: z.object({ completed: z.number(), failed: z.number() }).exactOptional(),
  heap: z.object({ used: z.number(), max: z.number() }).exactOptional(),
  restarts: z.number().exactOptional(),
  taskManagers: z.number().exactOptional(),
});

const MAX_NAME = 300;
/** Characters of a name that are looked through for secrets. */
const MAX_READ = 4_096;
/** Of an id, and of how records come. */
const MAX_ID = 64;

export function writeSample(sample: Sample): string {
  return `${jobText(sample.job)}\n${sampleText(sample)}\n`;
}

/** Whatever cannot be read of it is left out. */
export function readSamples(text: string): readonly Sample[] {
  let job: SampledJob | undefined;
  return text.split('\n').flatMap((line) => {
    const value = parse(line);
    const told = jobLine.safeParse(value);
    if (told.success) job = told.data.job;
    const sample = sampleLine.safeParse(value);
    if (!sample.success || job === undefined) return [];
    const { counts, ...rest } = sample.data;
    return [{ ...rest, job, counts: counts.map(countsOf) }];
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Names come from programs: what looks like a secret in them is not kept. */
function jobText({ id, name, vertices }: SampledJob): string {
  const named = vertices.slice(0, MAX_VERTICES).map((vertex) => ({
    id: vertex.id.slice(0, MAX_ID),
    name: shown(vertex.name),
    parallelism: vertex.parallelism,
    inputs: vertex.inputs.slice(0, MAX_VERTICES).map(({ id, ship }) => ({
      id: id.slice(0, MAX_ID),
      ...defined({ ship: ship?.slice(0, MAX_ID) }),
    })),
  }));
  return JSON.stringify({ job: { id: id.slice(0, MAX_ID), name: shown(name), vertices: named } });
}

function shown(name: string): string {
  // Hidden first: a cut may take away what tells a secret.
  return redactText(name.slice(0, MAX_READ)).slice(0, MAX_NAME);
}

function sampleText({ at, counts, checkpoint, checkpoints, heap, restarts, taskManagers }: Sample): string {
  const rest = defined({ checkpoint, checkpoints, heap, restarts, taskManagers });
  return JSON.stringify({ at, counts: counts.slice(0, MAX_VERTICES).map(numbersOf), ...rest });
}

function numbersOf(counts: VertexCounts): readonly (number | null)[] {
  const { recordsIn, recordsOut, bytesIn, bytesOut, busy, idle, backPressured, watermark } = counts;
  return [
    recordsIn,
    recordsOut,
    bytesIn,
    bytesOut,
    ...[busy, idle, backPressured, watermark].map((one) => one ?? null),
  ];
}

function countsOf(numbers: z.infer<typeof sampleLine>['counts'][number]): VertexCounts {
  const [recordsIn, recordsOut, bytesIn, bytesOut, ...rest] = numbers;
  const [busy, idle, backPressured, watermark] = rest.map((one) => one ?? undefined);
  return { recordsIn, recordsOut, bytesIn, bytesOut, ...defined({ busy, idle, backPressured, watermark }) };
}
