import type { KubernetesObject, V1PodSpec, V1PodTemplateSpec } from '@kubernetes/client-node';
import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../../core/json.ts';
import { omit } from '../../core/omit.ts';
import type { FinishedCluster } from '../../flink/finished.ts';
import { MAIN_CONTAINER } from '../../flink/native/flink-pod.ts';
import { commonLabels } from '../../flink/native/labels.ts';
import { FLINK } from '../../flink/options/flink.ts';
import { recommendedLabels } from '../../flink/recommended-labels.ts';
import type { AllowList } from '../config/dispatch-config.ts';
import { mostOf, podAmounts } from './amounts.ts';
import { objectMetadata } from './metadata-rules.ts';
import { finishedPod, hasContainers } from './pod-rules.ts';
import { below, differs, refuse, type Context, type Found, type Place } from './rules.ts';
import { closedVolumes, volumeSizes } from './volume-rules.ts';

type Component = 'jobManager' | 'taskManager';

const NAMES = { jobManager: 'JobManager', taskManager: 'TaskManager' } as const;
const MOST_JOB_MANAGERS = 5;

/** All that is made of a job, against what the deployment would make by itself. */
export function judgeCluster(built: FinishedCluster, base: FinishedCluster, allow: AllowList): readonly Found[] {
  return [
    ...judgePod('jobManager', built, base, allow),
    ...judgePod('taskManager', built, base, allow),
    ...judgeObjects(built, base, allow),
    ...judgeNumbers(built, base, allow),
  ];
}

function judgePod(
  component: Component,
  built: FinishedCluster,
  base: FinishedCluster,
  allow: AllowList,
): readonly Found[] {
  const pod = built[component];
  const place = placeOf(`${NAMES[component]} pod: `, base[component], contextOf(built, allow));
  const volumes = base[component].spec?.volumes;
  const hasOwnContainers = hasContainers(base[component].spec);
  const context = { ...place.context, hasOwnContainers, closedVolumes: closedVolumes(volumes, place) };
  const found = finishedPod(pod, { ...place, context }).map((one) => ({
    ...one,
    field: one.field.replace(': .', ': '),
  }));
  return [...found, ...judgeTotals(component, pod, base[component], allow)];
}

function contextOf({ cluster: { clusterId } }: FinishedCluster, allow: AllowList): Context {
  const own = new Set([`flink-config-${clusterId}`, `pod-template-${clusterId}`, `kerberos-krb5conf-${clusterId}`]);
  return { allow, own, closedVolumes: new Set(), hasOwnContainers: false, finished: true };
}

function placeOf(path: string, base: unknown, context: Context): Place {
  return { path, base, context };
}

/** Per pod and for every resource; containers and volumes of the deployment's own are not counted. */
function judgeTotals(
  component: Component,
  pod: V1PodTemplateSpec,
  base: V1PodTemplateSpec,
  allow: AllowList,
): readonly Found[] {
  const name = NAMES[component];
  const theirs = usersPart(pod.spec, base.spec);
  const own = podAmounts({ containers: (base.spec?.containers ?? []).filter(isMain) });
  const sizes = volumeSizes(theirs.volumes);
  const totals = new Map(podAmounts(theirs));
  totals.set('memory', (totals.get('memory') ?? 0) + sizes.memory);
  const main = podAmounts({ containers: theirs.containers.filter(isMain) });
  const amounts = [...totals].flatMap(([resource, amount]) => {
    const most = Math.max(mostOf(resource, allow), own.get(resource) ?? 0);
    if (amount <= most) return [];
    const ofMain = (main.get(resource) ?? 0) > most && (resource === 'cpu' || resource === 'memory');
    const field = ofMain ? `${component}.resource.${resource}` : `${name} pod: spec.containers.resources.${resource}`;
    const message = `the ${name} pod would take ${amount} of ${resource}, and may take ${most} (allow.maxResources)`;
    return [{ field, message, token: resource }];
  });
  const count = theirs.containers.length + (theirs.initContainers?.length ?? 0);
  const { containers: most, ephemeralVolumes } = allow.maxResources;
  return [
    ...amounts,
    ...tooMany(`${name} pod: spec.containers`, count, most, 'containers'),
    ...tooMany(`${name} pod: spec.volumes`, sizes.ephemeral, ephemeralVolumes, 'bytes of ephemeral volumes'),
  ];
}

function tooMany(field: string, count: number, most: number, what: string): readonly Found[] {
  return count <= most
    ? []
    : [{ field, message: `${count} ${what} are more than the allowed ${most} (allow.maxResources)`, token: what }];
}

function usersPart(pod: V1PodSpec | undefined, base: V1PodSpec | undefined): V1PodSpec {
  const other = <T extends { name: string }>(all: readonly T[] = [], own: readonly T[] = []): T[] =>
    all.filter((one) => isMain(one) || !own.some((theirs) => isDeepStrictEqual(theirs, one)));
  return {
    containers: other(pod?.containers, base?.containers),
    initContainers: other(pod?.initContainers, base?.initContainers),
    volumes: other(pod?.volumes, base?.volumes),
  };
}

function isMain({ name }: { readonly name: string }): boolean {
  return name === MAIN_CONTAINER;
}

/** No other kinds of objects, in no other place, and of their metadata labels and annotations that are allowed. */
function judgeObjects(built: FinishedCluster, base: FinishedCluster, allow: AllowList): readonly Found[] {
  const context = contextOf(built, allow);
  const theirs = [base.cluster.deployment, ...base.cluster.dependents];
  return [built.cluster.deployment, ...built.cluster.dependents].flatMap((object) => {
    const { kind = '', metadata = {} } = object;
    const like = theirs.find((other) => other.kind === kind && other.metadata?.name === metadata.name);
    const path = `${kind} ${metadata.name ?? ''}: `;
    const { namespace, ownerReferences } = metadata;
    const marks = omit(metadata, 'name', 'namespace', 'ownerReferences');
    const place = placeOf(`${path}metadata`, like?.metadata, context);
    const owners = like?.metadata?.ownerReferences ?? ownersOf(base);
    const wrong =
      namespace === built.cluster.namespace && (kind === 'Deployment' || isDeepStrictEqual(ownerReferences, owners))
        ? []
        : refuse(place, 'names another namespace or owner');
    const free = kind === 'ConfigMap' || kind === 'Service' ? withoutCommon(marks, built) : marks;
    return [...wrong, ...objectMetadata(free, place), ...judgeService(object, like, path, context)];
  });
}

function ownersOf({ cluster }: FinishedCluster): unknown {
  return cluster.dependents.find((object) => object.metadata?.ownerReferences !== undefined)?.metadata?.ownerReferences;
}

/** An object that the deployment alone would not have made carries the run's own labels. */
function withoutCommon(marks: object, { cluster }: FinishedCluster): Record<string, unknown> {
  const { labels, ...others } = marks as { labels?: Record<string, string> };
  const own: Record<string, string> = { ...recommendedLabels(cluster.clusterId), ...commonLabels(cluster.clusterId) };
  const free = Object.entries(labels ?? {}).filter(([key, value]) => own[key] !== value);
  return { ...others, labels: Object.fromEntries(free) };
}

/** Ports are a job's to choose; who may reach them is not. */
function judgeService(
  object: KubernetesObject,
  like: KubernetesObject | undefined,
  path: string,
  context: Context,
): readonly Found[] {
  if (object.kind !== 'Service' || !('spec' in object) || !isRecord(object.spec)) return [];
  const spec = like !== undefined && 'spec' in like ? like.spec : undefined;
  const place = placeOf(`${path}spec`, spec ?? { type: 'ClusterIP', clusterIP: 'None' }, context);
  return Object.entries(object.spec).flatMap(([name, value]) => {
    const at = below(place, name);
    if (name === 'ports' || name === 'selector' || !differs(value, at)) return [];
    return refuse(at, `${String(value)} is not allowed: the target decides it`, String(value));
  });
}

function judgeNumbers(
  built: FinishedCluster,
  base: FinishedCluster,
  { maxResources: most }: AllowList,
): readonly Found[] {
  const parallelism = built.configuration.getOptional(FLINK.parallelism) ?? 1;
  const taskManagers = Math.max(built.taskManagers ?? 0, Math.ceil(parallelism / Math.max(1, built.slots)));
  const replicas = built.cluster.deployment.spec?.replicas ?? 1;
  const theirs = base.cluster.deployment.spec?.replicas ?? 1;
  return [
    ...tooMany('job.parallelism', parallelism, most.parallelism, 'subtasks'),
    ...tooMany('taskManager.replicas', taskManagers, most.taskManagers, 'TaskManagers'),
    ...tooMany('jobManager.replicas', replicas, Math.max(MOST_JOB_MANAGERS, theirs), 'JobManagers'),
  ];
}
