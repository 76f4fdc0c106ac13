import type { V1ConfigMap, V1Deployment, V1OwnerReference, V1PodSpec, V1Service } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isDispatchError } from '../../../lib/core/errors.ts';
import { buildCluster } from '../../../lib/flink/native/build-cluster.ts';
import { readConfiguration } from '../../../lib/flink/config/files.ts';
import { flatten, LOSES_KEYS, RECORDED_VERSIONS, recordings, requestOf } from './recordings.ts';
import { quantities, storedDeployment, storedService } from './server-defaults.ts';

/** Equal text, whatever the order of keys: what JSON cannot carry is gone. */
function json(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function withAmounts(deployment: V1Deployment): V1Deployment {
  const copy = structuredClone(deployment);
  const pod: V1PodSpec | undefined = copy.spec?.template.spec;
  for (const container of [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])]) {
    const { resources = {} } = container;
    container.resources = {
      ...(resources.requests && { requests: quantities(resources.requests) as Record<string, string> }),
      ...(resources.limits && { limits: quantities(resources.limits) as Record<string, string> }),
    };
  }
  return copy;
}

describe.each(RECORDED_VERSIONS)("the objects of Flink %s's own client", (version) => {
  const all = recordings(version);
  const made = all.filter(({ error, scenario }) => error === undefined && !LOSES_KEYS.includes(scenario));

  it.each(made.map((one) => [one.scenario, one] as const))('%s', (_name, recording) => {
    const cluster = buildCluster(requestOf(recording));
    const deployment = recording.deployment as unknown as V1Deployment;
    expect(json(storedDeployment(cluster.deployment))).toEqual(json(withAmounts(deployment)));

    const services = cluster.dependents.filter(({ kind }) => kind === 'Service') as V1Service[];
    const byName = (a: V1Service, b: V1Service) => (String(a.metadata?.name) < String(b.metadata?.name) ? -1 : 1);
    expect(json(services.sort(byName).map(storedService))).toEqual(recording.services);

    const maps = cluster.dependents.filter(({ kind }) => kind === 'ConfigMap') as V1ConfigMap[];
    maps.sort(byName);
    expect(json(maps.map(({ metadata }) => metadata))).toEqual(recording.configMaps.map(({ metadata }) => metadata));
    for (const [index, { keys, data }] of recording.configMaps.entries()) {
      if (keys !== undefined) expect(Object.keys(maps[index]?.data ?? {}).sort()).toEqual(keys);
      if (data !== undefined) expect(maps[index]?.data).toEqual(data);
    }
    const text =
      maps.find(({ data }) => data?.[recording.configFile] !== undefined)?.data?.[recording.configFile] ?? '';
    const written = recording.configFile === 'config.yaml' ? Object.fromEntries(flatten(parse(text))) : lines(text);
    expect(written).toEqual(recording.config);
    if (recording.configFile === 'config.yaml') expect(cluster.configuration).toEqual(recording.config);
    expect(readConfiguration({ [recording.configFile]: text }, version)).toBeTypeOf('object');
  });

  it.each(LOSES_KEYS)('%s: refused, where the client loses keys', (scenario) => {
    const recording = all.find((one) => one.scenario === scenario);
    const request = recording === undefined ? undefined : requestOf(recording);
    expect(Object.keys(request?.options ?? {}).filter((key) => !(key in (recording?.config ?? {})))).not.toEqual([]);
    expect(() => request && buildCluster(request)).toThrow(/cannot both be set/);
  });

  const refused = all.filter(({ error }) => error !== undefined);
  it.runIf(refused.length > 0).each(refused.map((one) => [one.scenario, one] as const))(
    '%s: refused, as by the client',
    (_name, recording) => {
      expect(() => buildCluster(requestOf(recording))).toThrow(
        expect.toSatisfy((error: unknown) => isDispatchError(error) && error.field !== undefined) as Error,
      );
    },
  );
});

it('names an owner that lacks only its uid', () => {
  const [recording] = recordings('2.3.0');
  const { dependents: dependents = [] } = recording === undefined ? {} : buildCluster(requestOf(recording));
  const owners = dependents.flatMap(({ metadata }) => (metadata?.ownerReferences ?? []) as Partial<V1OwnerReference>[]);
  expect(owners.every(({ uid, controller }) => uid === undefined && controller === true)).toBe(true);
  expect(owners).toHaveLength(dependents.length);
});

function lines(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf(': ');
      return line === '' ? [] : [[line.slice(0, at), line.slice(at + 2)]];
    }),
  );
}
