import type { KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import type { ClassArchives } from '../../../../lib/delivery/classes/archives.ts';
import { connect } from '../../../../lib/kubernetes/access/connect.ts';
import { createKubernetesApi } from '../../../../lib/kubernetes/api/https-api.ts';
import { defined } from '../../../../lib/core/defined.ts';
import { describeError, isDispatchError } from '../../../../lib/core/errors.ts';
import { namespacesOf, type DispatchConfig, type TargetConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { parseFlinkMemory, toFlinkMemory } from '../../../../lib/job/spec/quantity.ts';
import type { JobSpec } from '../../../../lib/job/spec/spec.ts';
import type { Io } from '../terminal/io.ts';
import { failed, unknown, type Check, type Seen } from './check.ts';
import {
  checkAccount,
  checkLimits,
  checkNamespace,
  checkQuota,
  checkRest,
  checkServer,
  type Need,
} from './cluster-checks.ts';
import { checkStart } from './start-check.ts';
import { checkFlink, checkOwn } from './permissions.ts';
import { probe } from './probe.ts';
import { examineState } from './state-checks.ts';

interface Examiner {
  readonly io: Io;
  readonly probes: boolean;
  /** Of the ledger, where one is named. */
  readonly archives?: Pick<ClassArchives, 'find'>;
}

/** All targets of a deployment, and its state storage; or one target. */
export async function examine(deployment: DispatchConfig, by: Examiner, only?: string): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const [name, config] of Object.entries(deployment.targets)) {
    if (only === undefined || name === only) checks.push(...(await examineTarget(name, config, deployment, by)));
  }
  if (only === undefined) checks.push(...(await examineState(deployment, by)));
  return checks;
}

/** Everything that can be said of a target without running a job on it; with `probes`, after running one small pod. */
async function examineTarget(
  name: string,
  config: TargetConfig,
  deployment: DispatchConfig,
  { io, probes, archives }: Examiner,
): Promise<readonly Check[]> {
  const of = (check: string, seen: Seen, namespace?: string): Check => ({
    target: name,
    ...defined({ namespace }),
    name: check,
    ...seen,
  });
  const checks: Check[] = [];
  try {
    const api = createKubernetesApi(await connectTo(config, io));
    const server = await checkServer(api, () => io.clock.now());
    checks.push(...Object.entries(server).map(([check, seen]) => of(check, seen)));
    if (server['connection']?.state !== 'ok') return checks;
    checks.push(of('rest', await checkRest(config)));
    const layers = [deployment.defaults, ...(config.defaults === undefined ? [] : [config.defaults])];
    checks.push(of('start', await checkStart({ target: name, layers, ...defined({ archives }) })));
    for (const namespace of namespacesOf(config)) {
      const seen = await examineNamespace(api, namespace, config, deployment, probes ? io : undefined);
      checks.push(...Object.entries(seen).map(([check, one]) => of(check, one, namespace)));
    }
  } catch (error) {
    const fix = isDispatchError(error) ? error.todo : 'see the message';
    checks.push(of('connection', failed(describeError(error), fix)));
  }
  return checks;
}

async function examineNamespace(
  api: KubernetesApi,
  namespace: string,
  config: TargetConfig,
  deployment: DispatchConfig,
  probing: Io | undefined,
): Promise<Record<string, Seen>> {
  const layers = [deployment.defaults, ...(config.defaults === undefined ? [] : [config.defaults])];
  const account = last(layers, ({ serviceAccount }) => serviceAccount) ?? 'default';
  const image = last(layers, (spec) => spec.image);
  const need = needOf(layers);
  const [there, permissions, accounts, flink, quota, limits] = await Promise.all([
    checkNamespace(api, namespace),
    checkOwn(api, namespace, config),
    checkAccount(api, namespace, account),
    checkFlink(api, namespace, account),
    checkQuota(api, namespace, need),
    checkLimits(api, namespace, need),
  ]);
  const seen = { namespace: there, permissions, 'service account': accounts, flink, quota, limits };
  if (probing === undefined) return seen;
  const pod =
    image === undefined
      ? unknown('the defaults name no image')
      : await probe(api, { namespace, image, serviceAccount: account }, probing.clock);
  return { ...seen, probe: pod };
}

async function connectTo({ access }: TargetConfig, io: Io): ReturnType<typeof connect> {
  return connect(access, {
    env: io.env,
    now: () => io.clock.now(),
    async awsCredentials() {
      const { S3Client } = await import('@aws-sdk/client-s3');
      return new S3Client().config.credentials();
    },
    async readSecret(arn) {
      const { readSecret } = await import('./secret.ts');
      return readSecret(arn);
    },
  });
}

function last<T>(layers: readonly JobSpec[], read: (spec: JobSpec) => T | undefined): T | undefined {
  return layers.map(read).findLast((value) => value !== undefined);
}

/** A JobManager and a TaskManager of the defaults; what those leave open counts as Flink's own default of one core. */
function needOf(layers: readonly JobSpec[]): Need {
  const of = (component: 'jobManager' | 'taskManager'): { cpu: number; memory: number } => ({
    cpu: last(layers, (spec) => spec[component]?.resource?.cpu) ?? 1,
    memory: parseFlinkMemory(toFlinkMemory(last(layers, (spec) => spec[component]?.resource?.memory) ?? '') ?? '') ?? 0,
  });
  const [one, other] = [of('jobManager'), of('taskManager')];
  const most = { cpu: Math.max(one.cpu, other.cpu), memory: Math.max(one.memory, other.memory) };
  return { pods: 2, cpu: one.cpu + other.cpu, memory: one.memory + other.memory, most };
}
