import type { V1ConfigMap, V1Deployment, V1Service } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildStandalone, type StandaloneRequest } from '../../../lib/flink/standalone/build-standalone.ts';

const base: StandaloneRequest = {
  flinkVersion: '2.3.0',
  mode: 'session',
  options: {
    'kubernetes.cluster-id': 'c',
    'kubernetes.namespace': 'jobs',
    'kubernetes.container.image.ref': 'flink:2.3.0',
  },
};
const application: StandaloneRequest = {
  ...base,
  mode: 'application',
  program: { jars: ['local:///opt/flink/usrlib/a.jar'], args: [] },
};

function build(request: StandaloneRequest) {
  const { deployment, dependents: dependents, configuration } = buildStandalone(request);
  const [service, rest, config, taskManagers] = dependents as [V1Service, V1Service, V1ConfigMap, V1Deployment];
  const container = (one: V1Deployment) => one.spec?.template.spec?.containers[0];
  return {
    ...{ deployment, service, rest, config, taskManagers, configuration },
    jobManager: container(deployment),
    taskManager: container(taskManagers),
  };
}

const more = (request: StandaloneRequest, options: Record<string, string>): StandaloneRequest => ({
  ...request,
  options: { ...request.options, ...options },
});

const numbered = (ports: readonly { name?: string; containerPort?: number; port?: number }[] | undefined) =>
  Object.fromEntries((ports ?? []).map(({ name = '', containerPort, port }) => [name, containerPort ?? port]));

describe('the objects of a standalone cluster', () => {
  it("have the parts and ports of Flink's first manifests, with API versions of today", () => {
    const { deployment, service, rest, taskManagers, jobManager, taskManager } = build({ ...base, taskManagers: 2 });
    expect([deployment.apiVersion, taskManagers.apiVersion, service.apiVersion]).toEqual(['apps/v1', 'apps/v1', 'v1']);
    const jobManagerPorts = { rpc: 6123, blob: 6124, query: 6125, ui: 8081 };
    expect(numbered(jobManager?.ports)).toEqual(jobManagerPorts);
    expect(numbered(service.spec?.ports)).toEqual(jobManagerPorts);
    expect(numbered(rest.spec?.ports)).toEqual({ rest: 8081 });
    expect(numbered(taskManager?.ports)).toEqual({ data: 6121, rpc: 6122, query: 6125 });
    expect([jobManager?.args, taskManager?.args]).toEqual([['jobmanager'], ['taskmanager']]);
    expect(taskManager?.env).toContainEqual({ name: 'JOB_MANAGER_RPC_ADDRESS', value: 'c.jobs' });
    expect([deployment.spec?.replicas, taskManagers.spec?.replicas]).toEqual([1, 2]);
  });

  it('are found as those of native clusters are, and go with the Deployment', () => {
    const { deployment, service, rest, config, taskManagers } = build(base);
    for (const { metadata } of [deployment, service, rest, config, taskManagers]) {
      expect(metadata).toMatchObject({ namespace: 'jobs', labels: { app: 'c', type: 'flink-native-kubernetes' } });
    }
    for (const { metadata } of [service, rest, config, taskManagers]) {
      expect(metadata?.ownerReferences).toMatchObject([{ kind: 'Deployment', name: 'c', controller: true }]);
    }
    expect(service.spec?.selector).toMatchObject({ component: 'jobmanager' });
    expect(taskManagers.spec?.selector.matchLabels).toMatchObject({ component: 'taskmanager' });
    expect(taskManagers.spec?.template.metadata?.labels).toMatchObject(taskManagers.spec?.selector.matchLabels ?? {});
  });

  it("carry Kubernetes' recommended labels, which select nothing and give way to the user's", () => {
    const { deployment, service, config, taskManagers } = build({
      ...base,
      options: { ...base.options, 'kubernetes.jobmanager.labels': 'app.kubernetes.io/name:orders' },
    });
    const labels = (name: string, component?: string) => ({
      'app.kubernetes.io/name': name,
      'app.kubernetes.io/instance': 'c',
      ...(component !== undefined && { 'app.kubernetes.io/component': component }),
    });
    for (const metadata of [deployment.metadata, deployment.spec?.template.metadata])
      expect(metadata?.labels).toMatchObject(labels('orders', 'jobmanager'));
    for (const metadata of [taskManagers.metadata, taskManagers.spec?.template.metadata])
      expect(metadata?.labels).toMatchObject(labels('flink', 'taskmanager'));
    for (const { metadata } of [service, config]) expect(metadata?.labels).toMatchObject(labels('flink'));
    const selectors = [deployment.spec?.selector.matchLabels, taskManagers.spec?.selector.matchLabels];
    expect(JSON.stringify([selectors, service.spec?.selector])).not.toContain('app.kubernetes.io');
  });

  it('have one configuration for both, without what is only for native clusters', () => {
    const { config, configuration, jobManager, taskManager } = build(application);
    const written = parse(config.data?.['config.yaml'] ?? '') as Record<string, unknown>;
    expect(written).toMatchObject({ jobmanager: { rpc: { address: 'c.jobs' } }, blob: { server: { port: '6124' } } });
    expect(Object.keys(configuration)).not.toContain('execution.target');
    expect(Object.keys(configuration).filter((key) => /internal|pipeline\.jars/.test(key))).toEqual([]);
    expect(configuration['execution.shutdown-on-application-finish']).toBe('false');
    for (const container of [jobManager, taskManager]) {
      expect(container?.volumeMounts).toContainEqual({ name: 'flink-config-volume', mountPath: '/opt/flink/conf' });
    }
    expect(config.data).toHaveProperty(['log4j-console.properties']);
  });

  it('have the memory that the JVMs will take, and the options of either component', () => {
    const { jobManager, taskManager, taskManagers } = build(
      more(base, {
        'jobmanager.memory.process.size': '900m',
        'taskmanager.memory.process.size': '1300m',
        'taskmanager.numberOfTaskSlots': '2',
        'kubernetes.jobmanager.cpu.amount': '0.5',
        'kubernetes.taskmanager.cpu.limit-factor': '3',
        'kubernetes.taskmanager.node-selector': 'disk:ssd',
        'kubernetes.taskmanager.labels': 'team:a',
        'kubernetes.taskmanager.service-account': 'worker',
        'containerized.taskmanager.env.A': '1',
        'kubernetes.secrets': 'db:/opt/db',
      }),
    );
    expect(jobManager?.resources?.requests).toEqual({ memory: '900Mi', cpu: '0.5' });
    expect(taskManager?.resources).toEqual({
      requests: { memory: '1300Mi', cpu: '2.0' },
      limits: { memory: '1300Mi', cpu: '6.0' },
    });
    expect(taskManager?.env).toContainEqual({ name: 'A', value: '1' });
    expect(taskManager?.volumeMounts).toContainEqual({ name: 'db-volume', mountPath: '/opt/db' });
    const pod = taskManagers.spec?.template;
    expect(pod?.spec).toMatchObject({ nodeSelector: { disk: 'ssd' }, serviceAccountName: 'worker' });
    expect(pod?.metadata?.labels).toMatchObject({ team: 'a' });
  });

  it.each([
    [{}, 1],
    [{ 'parallelism.default': '5', 'taskmanager.numberOfTaskSlots': '2' }, 3],
  ])('as many TaskManagers as the parallelism of %j needs', (options, count) => {
    expect(build(more(application, options)).taskManagers.spec?.replicas).toBe(count);
  });

  it('take each its own pod template', () => {
    const template = (name: string) => ({ spec: { containers: [{ name }] } });
    const podTemplates = { jobManager: template('a'), taskManager: template('b') };
    const { deployment, taskManagers } = build({ ...base, podTemplates });
    const names = (one: V1Deployment) => one.spec?.template.spec?.containers.map(({ name }) => name);
    expect([names(deployment), names(taskManagers)]).toEqual([
      ['a', 'flink-main-container'],
      ['b', 'flink-main-container'],
    ]);
  });
});

describe('the program', () => {
  const args = (request: StandaloneRequest) => build(request).jobManager?.args;

  it('is restored from a savepoint by arguments, which the entry point writes over the configuration', () => {
    const flags = { savepointPath: 's3://sp/1', allowNonRestoredState: true };
    expect(args({ ...application, flags })?.slice(-3)).toEqual([
      '--fromSavepoint',
      's3://sp/1',
      '--allowNonRestoredState',
    ]);
    expect(() => args({ ...application, flags: { ...flags, claimMode: 'CLAIM' } })).toThrow(
      /always restores with NO_CLAIM/,
    );
  });

  it('has a URL, which may be signed, in the ConfigMap and not among the arguments', () => {
    const url = 'https://bucket/a.jar?X-Amz-Signature=0';
    const { jobManager, config } = build({ ...application, program: { jars: [url], args: ['a'] } });
    expect(jobManager?.args).toEqual(['standalone-job', '--jars', '$(FLINK_DISPATCH_JARS)', '--', 'a']);
    expect(config.data).toMatchObject({ FLINK_DISPATCH_JARS: url });
    const valueFrom = { configMapKeyRef: { name: 'flink-config-c', key: 'FLINK_DISPATCH_JARS' } };
    expect(jobManager?.env).toContainEqual({ name: 'FLINK_DISPATCH_JARS', valueFrom });
  });

  it('has a fixed job id', () => {
    const id = 'ab'.repeat(16);
    expect(args(more(application, { '$internal.pipeline.job-id': id }))).toEqual(
      expect.arrayContaining(['--job-id', id]),
    );
  });

  it('finds its JobManager by leader election where that is highly available', () => {
    const highAvailability = { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha' };
    const { jobManager, configuration, taskManager } = build(more(application, highAvailability));
    expect(jobManager?.args?.slice(0, 2)).toEqual(['standalone-job', '-Djobmanager.rpc.address=$(_POD_IP_ADDRESS)']);
    expect(configuration['high-availability.cluster-id']).toBe('c');
    expect(taskManager?.env?.map(({ name }) => name)).not.toContain('JOB_MANAGER_RPC_ADDRESS');
  });
});

it('refuses more than one JobManager, and no number of TaskManagers', () => {
  const two = { 'kubernetes.jobmanager.replicas': '2', 'high-availability.type': 'kubernetes' };
  expect(() => build(more(base, two))).toThrow(/must be 1 when standalone/);
  expect(() => build({ ...base, taskManagers: -1 })).toThrow(/-1 is no number of TaskManagers/);
});
