import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { defined } from '../../../../lib/core/defined.ts';
import { MAX_CLUSTER_ID_LENGTH } from '../../../../lib/core/ids.ts';
import { isRecord } from '../../../../lib/core/json.ts';
import type { ClusterRequest, ProgramFlags } from '../../../../lib/flink/cluster.ts';
import { programOf } from '../../../../lib/job/jar/program.ts';
import { has, valueOf } from '../command.ts';
import { readTextFile } from './conf-dir.ts';
import type { ParsedFlags } from './flags.ts';
import type { SpecFile } from './spec-file.ts';
import { targetOf, type Mode, type Settings } from './settings.ts';
import { UsageError } from './usage.ts';

const CLAIM_MODES = ['NO_CLAIM', 'CLAIM', 'LEGACY'] as const;
/** KubernetesConfigOptions: an older name stands behind the first. */
const POD_TEMPLATES = {
  common: ['kubernetes.pod-template-file.default', 'kubernetes.pod-template-file'],
  jobManager: ['kubernetes.pod-template-file.jobmanager'],
  taskManager: ['kubernetes.pod-template-file.taskmanager'],
} as const;

/** What the flags of `run` and `session start` ask for, as Flink's own client would be given it. @throws UsageError */
export function clusterRequest(settings: Settings, parsed: ParsedFlags, mode: Mode, spec?: SpecFile): ClusterRequest {
  const { conf, flinkVersion } = settings;
  const clusterId = settings.effective['kubernetes.cluster-id'] ?? randomClusterId();
  const options = { ...settings.options, 'execution.target': targetOf(mode), 'kubernetes.cluster-id': clusterId };
  const { texts, parsed: templates } = readPodTemplates(settings);
  const podTemplates = { ...spec?.podTemplates, ...templates };
  return {
    flinkVersion,
    mode,
    options,
    ...defined({ conf, logFiles: spec?.logFiles }),
    ...(Object.keys(podTemplates).length > 0 && { podTemplates }),
    ...(Object.keys(texts).length > 0 && { podTemplateTexts: texts }),
    ...(mode === 'application' && {
      program: program(parsed, spec),
      flags: { ...spec?.restore, ...programFlags(parsed) },
    }),
  };
}

/** KubernetesClusterClientFactory.generateClusterId. */
function randomClusterId(): string {
  return `flink-cluster-${randomBytes(16).toString('hex')}`.slice(0, MAX_CLUSTER_ID_LENGTH);
}

/** A jar on the command line takes the place of the spec's, with all arguments after it. */
export function program(parsed: ParsedFlags, spec: SpecFile | undefined): NonNullable<ClusterRequest['program']> {
  const entryClass = valueOf(parsed, 'class') ?? spec?.entryClass;
  const [first, ...others] = parsed.args;
  const named = valueOf(parsed, 'jarfile');
  const given = named ?? first;
  const jar = given ?? spec?.jar;
  if (jar === undefined) {
    throw new UsageError('no jar: run [OPTIONS] <jar> [arguments…], such as local:///opt/flink/usrlib/job.jar');
  }
  const args = given === undefined ? (spec?.args ?? []) : named === undefined ? others : parsed.args;
  const uri = jarUri(jar);
  return programOf({ jar: { uri }, args, ...defined({ entryClass }) }, uri);
}

/** A path without a scheme is a file of this machine, named from its root as Flink names it. */
function jarUri(jar: string): string {
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(jar) ? jar : resolve(jar);
}

/** ProgramOptions. */
export function programFlags(parsed: ParsedFlags): ProgramFlags {
  const parallelism = parallelismOf(parsed);
  const classpaths = parsed.values.get('classpath');
  const savepointPath = valueOf(parsed, 'fromSavepoint');
  const claimMode = claimModeOf(parsed);
  for (const url of classpaths ?? []) {
    if (!URL.canParse(url))
      throw new UsageError(`-C ${url}: must be a URL with its protocol, such as file:///opt/lib.jar`);
  }
  return {
    ...defined({ parallelism, classpaths }),
    ...(has(parsed, 'detached') && { detached: true }),
    ...(has(parsed, 'shutdownOnAttachedExit') && { shutdownOnAttachedExit: true }),
    // CliFrontendParser.createSavepointRestoreSettings: without -s the other two mean nothing
    ...(savepointPath !== undefined && {
      savepointPath,
      allowNonRestoredState: has(parsed, 'allowNonRestoredState'),
      ...defined({ claimMode }),
    }),
  };
}

function parallelismOf(parsed: ParsedFlags): number | undefined {
  const text = valueOf(parsed, 'parallelism');
  if (text === undefined) return undefined;
  const parallelism = Number(text);
  // -1 is ExecutionConfig.PARALLELISM_DEFAULT
  if (/^-?\d+$/.test(text) && (parallelism > 0 || parallelism === -1) && parallelism < 2 ** 31) return parallelism;
  throw new UsageError(`-p ${text}: the parallelism must be a positive number`);
}

function claimModeOf(parsed: ParsedFlags): ProgramFlags['claimMode'] {
  const text = valueOf(parsed, 'claimMode') ?? valueOf(parsed, 'restoreMode');
  if (text === undefined) return undefined;
  const mode = CLAIM_MODES.find((name) => name === text.toUpperCase());
  if (mode === undefined) throw new UsageError(`--claimMode ${text}: must be no_claim, claim or legacy`);
  return mode;
}

interface Templates<T> {
  common?: T;
  jobManager?: T;
  taskManager?: T;
}

/** Each file as it is, and as what it means: Flink copies the text, and builds pods from the meaning. */
function readPodTemplates({ effective }: Settings) {
  const texts: Templates<string> = {};
  const parsed: Templates<V1PodTemplateSpec> = {};
  for (const part of ['common', 'jobManager', 'taskManager'] as const) {
    const key = POD_TEMPLATES[part].find((name) => effective[name] !== undefined);
    if (key === undefined) continue;
    const path = effective[key] ?? '';
    const text = readTextFile(path, key);
    texts[part] = text;
    parsed[part] = parsePodTemplate(key, path, text);
  }
  return { texts, parsed };
}

function parsePodTemplate(key: string, path: string, text: string): V1PodTemplateSpec {
  const document = parseDocument(text);
  const [error] = document.errors;
  const content: unknown = error === undefined ? document.toJS() : undefined;
  if (isRecord(content)) return content;
  const why = error === undefined ? '' : ` (${error.message})`;
  throw new UsageError(`${key}: ${path} is no pod template in YAML${why}`);
}
