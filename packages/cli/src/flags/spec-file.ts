import { isDispatchError } from '../../../../lib/core/errors.ts';
import { parseObjectText } from '../../../../lib/core/yaml.ts';
import { defined } from '../../../../lib/core/defined.ts';
import type { ClusterRequest, ConfFiles, ProgramFlags } from '../../../../lib/flink/cluster.ts';
import { notesOn, parseManifestOrSpec } from '../../../../lib/job/spec/manifest.ts';
import { optionsOf } from '../../../../lib/job/spec/options.ts';
import { podTemplatesOf } from '../../../../lib/job/spec/pod-template.ts';
import type { JobSpec } from '../../../../lib/job/spec/spec.ts';
import { readTextFile } from './conf-dir.ts';
import { UsageError } from './usage.ts';

/** What a job.yaml or a FlinkDeployment manifest says, under the flags. */
export interface SpecFile {
  readonly options: Readonly<Record<string, string>>;
  readonly podTemplates: NonNullable<ClusterRequest['podTemplates']>;
  readonly logFiles?: ConfFiles;
  readonly flinkVersion?: string;
  readonly jar?: string;
  readonly entryClass?: string;
  /** It asks for a standalone cluster. */
  readonly standalone?: true;
  /** Of a standalone cluster. */
  readonly taskManagers?: number;
  readonly args: readonly string[];
  /** As `-s` and `-n`: `flink run` writes their defaults over what the options say. */
  readonly restore?: Pick<ProgramFlags, 'savepointPath' | 'allowNonRestoredState'>;
  /** What it says and `run` has no use for. */
  readonly notes: readonly string[];
}

/** Only a run that a function follows has these; the command line has its own ways. */
const OF_DISPATCHED_RUNS = ['target', 'deadlines', 'retry', 'concurrency', 'afterEnd', 'notify'] as const;

/** @throws UsageError for a file that cannot be read, DispatchError for one that is no job */
export function readSpecFile(path: string): SpecFile {
  const text = readTextFile(path, '-f');
  return specFile(parseManifestOrSpec(documentIn(text, path)));
}

function documentIn(text: string, path: string): Record<string, unknown> {
  try {
    return parseObjectText(text, `-f ${path}: the file`);
  } catch (error) {
    if (isDispatchError(error)) throw new UsageError(error.message);
    throw error;
  }
}

export function specFile(spec: JobSpec): SpecFile {
  const { name, namespace, flinkVersion, job } = spec;
  const unused = OF_DISPATCHED_RUNS.filter((field) => spec[field] !== undefined);
  return {
    options: {
      ...defined({ 'kubernetes.cluster-id': name }),
      ...sessionOptions(spec),
      ...defined({ 'kubernetes.namespace': namespace }),
      ...optionsOf(spec, name ?? 'job'),
    },
    podTemplates: podTemplatesOf(spec),
    ...logFilesOf(spec),
    ...defined({ flinkVersion, jar: job?.jarURI, entryClass: job?.entryClass }),
    args: job?.args ?? [],
    ...restoreOf(spec),
    ...standaloneOf(spec),
    notes: [...notesOn(spec, false), ...unused.map((field) => `${field} has no effect: it is for dispatched runs`)],
  };
}

function standaloneOf({ mode, taskManager }: JobSpec): Pick<SpecFile, 'standalone' | 'taskManagers'> {
  return {
    ...(mode === 'standalone' && { standalone: true }),
    ...defined({ taskManagers: taskManager?.replicas }),
  };
}

function restoreOf({ job }: JobSpec): Pick<SpecFile, 'restore'> {
  if (job?.initialSavepointPath === undefined) return {};
  const { initialSavepointPath: savepointPath, allowNonRestoredState = false } = job;
  return { restore: { savepointPath, allowNonRestoredState } };
}

/** A job for a session is not named after it. */
function sessionOptions({ mode, session }: JobSpec): Record<string, string> {
  if (mode !== 'session' && session === undefined) return {};
  if (session?.clusterId === undefined) {
    throw new UsageError('-f: session.pool is for dispatched runs; name a session with session.clusterId');
  }
  return { 'execution.target': 'kubernetes-session', 'kubernetes.cluster-id': session.clusterId };
}

function logFilesOf({ logConfiguration }: JobSpec): Pick<SpecFile, 'logFiles'> {
  if (logConfiguration === undefined) return {};
  const texts = Object.entries(logConfiguration).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]));
  return { logFiles: Object.fromEntries(texts) as ConfFiles };
}
