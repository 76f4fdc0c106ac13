import { isRecord, type Deployment, type KubeObject, type Pod, type Service } from '../objects.ts';
import { DEPLOYMENTS, PODS, SERVICES, type Resource } from '../resources.ts';
import type { Target } from './request.ts';

type Cells = readonly (readonly [column: string, value: string | number])[];

function age(object: KubeObject, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(object.metadata.creationTimestamp)) / 1000));
  if (seconds < 120) return `${String(seconds)}s`;
  if (seconds < 7200) return `${String(Math.floor(seconds / 60))}m`;
  return seconds < 172_800 ? `${String(Math.floor(seconds / 3600))}h` : `${String(Math.floor(seconds / 86_400))}d`;
}

function podCells({ metadata, spec, status }: Pod): Cells {
  const containers = status.containerStatuses ?? [];
  const waiting = [...(status.initContainerStatuses ?? []), ...containers].find(
    ({ state }) => state.waiting !== undefined,
  );
  const reason = metadata.deletionTimestamp === undefined ? waiting?.state.waiting?.reason : 'Terminating';
  const ready = containers.filter((container) => container.ready).length;
  return [
    ['Ready', `${String(ready)}/${String(spec.containers.length)}`],
    ['Status', reason ?? (status.phase === 'Succeeded' ? 'Completed' : status.phase)],
    ['Restarts', containers.reduce((sum, container) => sum + container.restartCount, 0)],
  ];
}

function cells(resource: Resource, object: KubeObject): Cells {
  if (resource === PODS) return podCells(object as Pod);
  if (resource === DEPLOYMENTS) {
    const { spec, status } = object as Deployment;
    return [
      [
        'Ready',
        `${String((status as { readyReplicas?: number } | undefined)?.readyReplicas ?? 0)}/${String(spec.replicas)}`,
      ],
      ['Up-to-date', status?.updatedReplicas ?? 0],
      ['Available', status?.availableReplicas ?? 0],
    ];
  }
  if (resource === SERVICES) {
    const { spec } = object as Service;
    const ports = (spec.ports ?? []).map(
      ({ port, nodePort }) => `${String(port)}${nodePort === undefined ? '' : `:${String(nodePort)}`}/TCP`,
    );
    return [
      ['Type', spec.type ?? ''],
      ['Cluster-IP', spec.clusterIP ?? ''],
      ['Port(s)', ports.join(',')],
    ];
  }
  return [];
}

/** The table that kubectl prints. */
export function asTable(target: Target, body: unknown, now: Date): object | undefined {
  if (!isRecord(body)) return undefined;
  const objects = (Array.isArray(body['items']) ? body['items'] : [body]) as KubeObject[];
  if (objects.some((object) => object.kind !== target.resource.kind)) return undefined;
  const names = objects[0] === undefined ? [] : cells(target.resource, objects[0]).map(([name]) => name);
  const columns = ['Name', ...names, 'Age'].map((name) => ({
    name,
    type: name === 'Restarts' ? 'integer' : 'string',
    format: name === 'Name' ? 'name' : '',
    description: name,
    priority: 0,
  }));
  const rows = objects.map((object) => ({
    cells: [object.metadata.name, ...cells(target.resource, object).map(([, value]) => value), age(object, now)],
    object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
  }));
  const metadata = Array.isArray(body['items']) ? body['metadata'] : {};
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columns, rows };
}
