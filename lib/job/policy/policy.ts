import { DispatchError } from '../../core/errors.ts';
import { namespacesOf, type AllowList, type DispatchConfig } from '../config/dispatch-config.ts';
import { matchesAny } from './glob.ts';
import type { FlinkOptions, ResolvedJob } from '../job.ts';
import { optionsOf } from '../spec/options.ts';
import { checkOptions } from './policy-options.ts';
import { matchesAddress, matchesImage } from './names.ts';
import { checkPodTemplate } from './policy-pod.ts';
import type { Refusal } from './refusal.ts';
import { podTemplatesOf } from '../spec/pod-template.ts';
import type { JobSpec } from '../spec/spec.ts';

export interface PolicyInput {
  readonly job: ResolvedJob;
  /** What people wrote, layer by layer, before it was merged. */
  readonly userSpecs: readonly JobSpec[];
}

/** The deployment's own layers: what they say needs no leave. */
export interface Trusted {
  readonly spec: JobSpec;
  readonly deployment: Pick<DispatchConfig, 'targets'>;
}

/** @returns one `NotAllowed` for each thing that the allow-list refuses; empty when it refuses nothing. */
export function checkPolicy(
  { job, userSpecs }: PolicyInput,
  allow: AllowList,
  trusted: Trusted,
): readonly DispatchError[] {
  const baseline = optionsOf(trusted.spec, job.name);
  const asked = Object.fromEntries(Object.entries(job.options).filter(([key, value]) => baseline[key] !== value));
  const refusals = [
    ...checkNamespace(job, trusted),
    ...checkSession(job, allow, trusted),
    ...checkImage(asked, allow),
    ...checkServiceAccounts(asked, allow),
    ...checkOptions(asked, allow, userSpecs),
    ...userSpecs.flatMap((spec) => checkTemplates(spec, allow, trusted.spec)),
    ...job.notify
      .filter((address) => !trusted.spec.notify?.includes(address) && !matchesAddress(allow.notify, address))
      .map((address) => ({ field: 'notify', message: `${address} is not allowed (allow.notify)` })),
  ];
  return refusals.map(notAllowed);
}

export function notAllowed({ field, message }: Refusal): DispatchError {
  return new DispatchError('NotAllowed', `${field}: ${message}`, { field });
}

function checkNamespace(job: ResolvedJob, { deployment }: Trusted): Refusal[] {
  const config = deployment.targets[job.target];
  const allowed = config === undefined ? [] : namespacesOf(config);
  if (allowed.includes(job.namespace)) return [];
  return [
    {
      field: 'namespace',
      message: `${job.namespace} is no namespace of the target ${job.target}, which has ${allowed.join(', ')}`,
    },
  ];
}

/** A job in a session works with the session's rights, beside other people's jobs. */
function checkSession(job: ResolvedJob, allow: AllowList, trusted: Trusted): Refusal[] {
  if (job.mode !== 'session' || job.session.pool !== undefined) return [];
  const { clusterId } = job.session;
  if (trusted.spec.session?.clusterId === clusterId || matchesAny(allow.sessions, clusterId)) return [];
  return [
    { field: 'session.clusterId', message: `${clusterId} is not allowed (allow.sessions), and no pool (sessions)` },
  ];
}

function checkImage(asked: FlinkOptions, allow: AllowList): Refusal[] {
  const image = asked['kubernetes.container.image.ref'];
  if (image === undefined || matchesImage(allow.images, image)) return [];
  return [{ field: 'image', message: `${image} is not allowed (allow.images)` }];
}

const ACCOUNTS = {
  'kubernetes.service-account': 'serviceAccount',
  'kubernetes.jobmanager.service-account': 'flinkConfiguration["kubernetes.jobmanager.service-account"]',
  'kubernetes.taskmanager.service-account': 'flinkConfiguration["kubernetes.taskmanager.service-account"]',
} as const;

function checkServiceAccounts(asked: FlinkOptions, allow: AllowList): Refusal[] {
  return Object.entries(ACCOUNTS).flatMap(([key, field]) => {
    const account = asked[key];
    if (account === undefined || matchesAny(allow.serviceAccounts, account)) return [];
    return [{ field, message: `${account} is not allowed (allow.serviceAccounts)` }];
  });
}

function checkTemplates(spec: JobSpec, allow: AllowList, trusted: JobSpec): Refusal[] {
  const own = podTemplatesOf(trusted);
  const templates = [
    ['podTemplate', spec.podTemplate, trusted.podTemplate],
    ['jobManager.podTemplate', spec.jobManager?.podTemplate, own.jobManager],
    ['taskManager.podTemplate', spec.taskManager?.podTemplate, own.taskManager],
  ] as const;
  return templates.flatMap(([field, template, base]) =>
    template === undefined ? [] : checkPodTemplate(template, field, allow, base),
  );
}
