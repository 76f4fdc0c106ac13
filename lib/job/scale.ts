import { FlinkConfiguration } from '../flink/config/configuration.ts';
import { FLINK } from '../flink/options/flink.ts';
import { option } from '../flink/options/option.ts';
import { defined } from '../core/defined.ts';
import type { FlinkOptions, ResolvedJob } from './job.ts';

/** In how many subtasks a job runs, as its options say: what the program sets by itself is not among them. */
export interface Scale {
  /** Of every vertex that the program gives no other. */
  readonly parallelism: number;
  /** Of single vertices, by their ids: 32 hex digits. */
  readonly vertices?: Readonly<Record<string, number>>;
}

const OVERRIDES = option.map('pipeline.jobvertex-parallelism-overrides');

/** @throws DispatchError `InvalidConfiguration` for numbers that are none */
export function scaleOf(options: FlinkOptions): Scale {
  const configuration = new FlinkConfiguration(true, Object.entries(options));
  const overrides = configuration.getOptional(OVERRIDES)?.entries() ?? [];
  const vertices = overrides.map(([id, text]) => [id.toLowerCase(), Number(text)] as const);
  return {
    parallelism: configuration.getOptional(FLINK.parallelism) ?? 1,
    ...defined({ vertices: vertices.length === 0 ? undefined : Object.fromEntries(vertices) }),
  };
}

function isOfScale(key: string): boolean {
  return key === FLINK.parallelism.key || key === OVERRIDES.key || key.startsWith(`${OVERRIDES.key}.`);
}

export function withoutScale(options: FlinkOptions): FlinkOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !isOfScale(key)));
}

/** The options of one job with what another one says of its scale. */
export function withScaleOf(options: FlinkOptions, other: FlinkOptions): FlinkOptions {
  return { ...withoutScale(options), ...Object.fromEntries(Object.entries(other).filter(([key]) => isOfScale(key))) };
}

export function withParallelism(options: FlinkOptions, parallelism: number): FlinkOptions {
  return { ...options, [FLINK.parallelism.key]: String(parallelism) };
}

/**
 * Whether Flink gives the job another parallelism while it runs: Flink's adaptive scheduler does, and makes the TaskManagers that
 * it takes. In reactive mode Flink takes whatever TaskManagers are there, and refuses to be told.
 */
export function scalesInPlace({ mode, kind, options }: Pick<ResolvedJob, 'mode' | 'kind' | 'options'>): boolean {
  if (mode !== 'application' || kind !== 'streaming') return false;
  const configuration = new FlinkConfiguration(true, Object.entries(options));
  const isReactive = configuration.getOptional(FLINK.schedulerMode)?.toLowerCase() === 'reactive';
  return configuration.get(FLINK.scheduler).toLowerCase() === 'adaptive' && !isReactive;
}
