import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { World } from './kubernetes-api-world.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

interface Item {
  metadata: { name: string; uid: string; resourceVersion: string; generation?: number; deletionTimestamp?: string };
}
type Statuses = {
  name: string;
  restartCount: number;
  state: Record<string, { reason?: string; message?: string; exitCode?: number } | undefined>;
  lastState?: { terminated?: { exitCode?: number } };
}[];
interface PodItem extends Item {
  status: {
    phase: string;
    podIP?: string;
    containerStatuses?: Statuses;
    conditions?: { type: string; status: string }[];
  };
}

function item(body: unknown): Item & Record<string, unknown> {
  return body as Item & Record<string, unknown>;
}

function configMap(name: string, more: object = {}): object {
  return { metadata: { name, ...more }, data: { a: '1', b: '2' } };
}

function owned(name: string, kind: string, owner: Item, apiVersion = 'v1'): object {
  const reference = {
    apiVersion,
    kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return configMap(name, { ownerReferences: [reference] });
}

/** What Flink, the dispatcher and people's tools ask of a Kubernetes API server, with the same answers from each. */
export function kubernetesApiSuite(name: string, open: () => Promise<World>): void {
  describe(`the Kubernetes API: ${name}`, () => {
    let world: World;
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    afterAll(async () => {
      await world.close();
    }, 60_000);

    const shell = (script: string, more: object = {}): object => ({
      name: 'main',
      image: world.image,
      command: ['bash', '-c', script],
      ...more,
    });
    const pod = (podName: string, container: object, spec: object = {}): object => ({
      metadata: { name: podName, labels: { app: podName } },
      spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [container], ...spec },
    });
    const deployment = (deploymentName: string, container: object): object => ({
      metadata: { name: deploymentName },
      spec: {
        selector: { matchLabels: { app: deploymentName } },
        template: {
          metadata: { labels: { app: deploymentName } },
          spec: { terminationGracePeriodSeconds: 1, containers: [container] },
        },
      },
    });
    const podWhen = (podName: string, fits: (pod: PodItem) => boolean): Promise<PodItem> =>
      world.until(`pod ${podName}`, async () => {
        const found = (await world.get('pods', podName)).body as PodItem;
        return found.status !== undefined && typeof found.status === 'object' && fits(found) ? found : undefined;
      });
    const gone = (resource: string, objectName: string): Promise<true> =>
      world.until(`the end of ${resource}/${objectName}`, async () =>
        (await world.get(resource, objectName)).status === 404 ? true : undefined,
      );

    describe('objects', () => {
      it('creates, reads, replaces and deletes', async () => {
        const made = item(await world.create('configmaps', configMap('crud', { labels: { tier: 'one' } })));
        expect(made).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { a: '1', b: '2' } });
        expect(made.metadata).toMatchObject({ name: 'crud', namespace: world.namespace, labels: { tier: 'one' } });
        expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
        const replaced = await world.request({
          method: 'PUT',
          path: world.path('configmaps', 'crud'),
          body: { ...made, data: { a: '9' } },
        });
        expect(replaced).toMatchObject({ status: 200, body: { data: { a: '9' } } });
        expect(item(replaced.body).metadata.uid).toBe(made.metadata.uid);
        expect(item(replaced.body).metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
        const deleted = await world.request({ method: 'DELETE', path: world.path('configmaps', 'crud') });
        expect(deleted).toMatchObject({
          status: 200,
          body: { kind: 'Status', status: 'Success', details: { uid: made.metadata.uid } },
        });
        expect(await world.get('configmaps', 'crud')).toMatchObject({ status: 404, body: { reason: 'NotFound' } });
      });

      it('refuses a taken name, an old version, another uid and a missing object with a Status', async () => {
        const made = item(await world.create('configmaps', configMap('taken')));
        const again = await world.request({ method: 'POST', path: world.path('configmaps'), body: configMap('taken') });
        expect(again).toMatchObject({
          status: 409,
          body: {
            kind: 'Status',
            status: 'Failure',
            reason: 'AlreadyExists',
            code: 409,
            message: 'configmaps "taken" already exists',
          },
        });
        const path = world.path('configmaps', 'taken');
        await world.request({ method: 'PUT', path, body: { ...made, data: { a: '2' } } });
        const stale = await world.request({ method: 'PUT', path, body: { ...made, data: { a: '3' } } });
        expect(stale).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
        const other = '00000000-0000-4000-8000-000000000000';
        const precondition = await world.request({ method: 'DELETE', path, body: { preconditions: { uid: other } } });
        expect(precondition).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
        const missing = await world.request({ method: 'DELETE', path: world.path('configmaps', 'missing') });
        expect(missing).toMatchObject({ status: 404, body: { message: 'configmaps "missing" not found' } });
      });

      it('refuses a missing namespace, an invalid name and a Deployment whose selector misses its pods', async () => {
        const lost = await world.request({
          method: 'POST',
          path: '/api/v1/namespaces/no-such-namespace/configmaps',
          body: configMap('x'),
        });
        expect(lost).toMatchObject({ status: 404, body: { message: 'namespaces "no-such-namespace" not found' } });
        const invalid = await world.request({
          method: 'POST',
          path: world.path('configmaps'),
          body: configMap('Not_Valid'),
        });
        expect(invalid).toMatchObject({
          status: 422,
          body: { reason: 'Invalid', details: { causes: [{ field: 'metadata.name' }] } },
        });
        const blank = deployment('astray', shell('true')) as { spec: { selector: object } };
        blank.spec.selector = { matchLabels: { app: 'other' } };
        const astray = await world.request({ method: 'POST', path: world.path('deployments'), body: blank });
        expect(astray).toMatchObject({ status: 422, body: { reason: 'Invalid' } });
        expect(JSON.stringify(astray.body)).toContain('spec.template.metadata.labels');
      });

      it('does not keep a dry run, and generates names', async () => {
        const dry = await world.request({
          method: 'POST',
          path: world.path('configmaps'),
          query: { dryRun: 'All' },
          body: configMap('dry'),
        });
        expect(dry.status).toBe(201);
        expect(await world.get('configmaps', 'dry')).toMatchObject({ status: 404 });
        const made = item(await world.create('configmaps', { metadata: { generateName: 'made-' } }));
        expect(made.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
      });

      it('patches: merge, strategic merge, JSON patch, and with a resourceVersion', async () => {
        const made = item(await world.create('configmaps', configMap('patched', { labels: { keep: 'grant' } })));
        const path = world.path('configmaps', 'patched');
        const patch = async (body: unknown, contentType: string) =>
          world.request({ method: 'PATCH', path, body, contentType });
        expect(await patch({ data: { a: null, c: '3' } }, MERGE_PATCH)).toMatchObject({
          status: 200,
          body: { data: { b: '2', c: '3' } },
        });
        const operations = [
          { op: 'test', path: '/data/b', value: '2' },
          { op: 'replace', path: '/data/b', value: '5' },
        ];
        expect(await patch(operations, JSON_PATCH)).toMatchObject({ status: 200, body: { data: { b: '5' } } });
        expect(await patch(operations, JSON_PATCH)).toMatchObject({ status: 422 });
        expect(await patch({ metadata: { labels: { more: 'x' } } }, STRATEGIC)).toMatchObject({
          body: { metadata: { labels: { keep: 'grant', more: 'x' } } },
        });
        const { resourceVersion } = made.metadata;
        expect(await patch({ metadata: { resourceVersion }, data: { z: '1' } }, MERGE_PATCH)).toMatchObject({
          status: 409,
        });
        expect(await patch({}, 'application/unknown')).toMatchObject({ status: 415 });
      });

      it('joins containers by name in a strategic merge, and scales', async () => {
        await world.create('deployments', {
          ...deployment('merged', shell('sleep 600', { env: [{ name: 'A', value: '1' }] })),
        });
        const path = world.path('deployments', 'merged');
        const scaled = await world.request({
          method: 'PATCH',
          path: `${path}/scale`,
          body: { spec: { replicas: 0 } },
          contentType: MERGE_PATCH,
        });
        // No replicas are left out, as Go's JSON does.
        expect(scaled).toMatchObject({ status: 200, body: { kind: 'Scale', spec: {} } });
        expect((await world.get('deployments', 'merged')).body).toMatchObject({ spec: { replicas: 0 } });
        const body = {
          spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'B', value: '2' }] }] } } },
        };
        const merged = await world.request({ method: 'PATCH', path, body, contentType: STRATEGIC });
        const { spec, metadata } = merged.body as Item & {
          spec: { template: { spec: { containers: { env: { name: string }[] }[] } } };
        };
        expect(spec.template.spec.containers).toHaveLength(1);
        expect(spec.template.spec.containers[0]?.env.map((variable) => variable.name).sort()).toEqual(['A', 'B']);
        expect(metadata.generation).toBe(3);
        await world.request({ method: 'DELETE', path });
      });

      it('lists by labels and fields, in pages', async () => {
        for (const [name, colour] of [
          ['s1', 'red'],
          ['s2', 'green'],
          ['s3', 'blue'],
        ] as const) {
          await world.create('configmaps', configMap(name, { labels: { set: 'selectors', colour } }));
        }
        const select = (labelSelector: string) => world.names('configmaps', { labelSelector });
        expect(await select('set=selectors')).toEqual(['s1', 's2', 's3']);
        expect(await select('set=selectors,colour!=red')).toEqual(['s2', 's3']);
        expect(await select('set=selectors,colour in (red,blue)')).toEqual(['s1', 's3']);
        expect(await select('set,colour notin (red,blue)')).toEqual(['s2']);
        expect(await select('set=selectors,!colour')).toEqual([]);
        expect(await world.names('configmaps', { fieldSelector: 'metadata.name=s2' })).toEqual(['s2']);
        const query = { labelSelector: 'set=selectors', limit: '2' };
        const first = (await world.request({ method: 'GET', path: world.path('configmaps'), query })).body as {
          metadata: { continue: string; remainingItemCount?: number };
        };
        expect(await world.names('configmaps', { ...query, continue: first.metadata.continue })).toEqual(['s3']);
      });

      it('deletes a collection by label', async () => {
        await world.create('configmaps', configMap('c1', { labels: { set: 'collection' } }));
        await world.create('configmaps', configMap('c2', { labels: { set: 'collection' } }));
        const query = { labelSelector: 'set=collection' };
        await world.request({ method: 'DELETE', path: world.path('configmaps'), query });
        expect(await world.names('configmaps', query)).toEqual([]);
      });

      it('keeps an object until its finalizers are gone', async () => {
        await world.create('configmaps', configMap('finalized', { finalizers: ['example.com/hold'] }));
        const path = world.path('configmaps', 'finalized');
        await world.request({ method: 'DELETE', path });
        expect(item((await world.get('configmaps', 'finalized')).body).metadata.deletionTimestamp).toBeDefined();
        await world.request({
          method: 'PATCH',
          path,
          body: { metadata: { finalizers: null } },
          contentType: MERGE_PATCH,
        });
        expect(await world.get('configmaps', 'finalized')).toMatchObject({ status: 404 });
      });
    });

    describe('watches', () => {
      it('sends what is there, then every change', async () => {
        await world.create('configmaps', configMap('w1', { labels: { set: 'watch' } }));
        const query = { labelSelector: 'set=watch', resourceVersion: '0' };
        const change = async (): Promise<void> => {
          const path = world.path('configmaps', 'w1');
          await world.request({ method: 'PATCH', path, body: { data: { a: '7' } }, contentType: MERGE_PATCH });
          await world.request({ method: 'DELETE', path });
        };
        let changed: Promise<void> | undefined;
        const seen = await world.watch('configmaps', query, (events) => {
          changed ??= change();
          return events.some(({ type }) => type === 'DELETED');
        });
        await changed;
        expect(seen[0]?.type).toBe('ADDED');
        expect(seen.at(-1)).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'w1' }, data: { a: '7' } } });
      });

      it('goes on from a resourceVersion, and shows an object that leaves the selection as deleted', async () => {
        const list = (await world.request({ method: 'GET', path: world.path('configmaps') })).body as {
          metadata: { resourceVersion: string };
        };
        await world.create('configmaps', configMap('w2', { labels: { set: 'leaves' } }));
        const path = world.path('configmaps', 'w2');
        await world.request({
          method: 'PATCH',
          path,
          body: { metadata: { labels: { set: 'other' } } },
          contentType: MERGE_PATCH,
        });
        const query = { labelSelector: 'set=leaves', resourceVersion: list.metadata.resourceVersion };
        const seen = await world.watch('configmaps', query, (events) => events.length === 2);
        expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'DELETED']);
      });

      it('says that a version is too old with 410', async () => {
        const seen = await world.watch('configmaps', { resourceVersion: '1' }, (events) => events.length > 0);
        expect(seen[0]).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
      });
    });

    describe('garbage collection', () => {
      it('removes dependents after their owner (background)', async () => {
        const owner = item(await world.create('configmaps', configMap('owner-b')));
        await world.create('configmaps', owned('dependent-b', 'ConfigMap', owner));
        const path = world.path('configmaps', 'owner-b');
        await world.request({ method: 'DELETE', path, body: { propagationPolicy: 'Background' } });
        expect(await world.get('configmaps', 'owner-b')).toMatchObject({ status: 404 });
        await gone('configmaps', 'dependent-b');
      });

      it('removes dependents before their owner (foreground)', async () => {
        const owner = item(await world.create('configmaps', configMap('owner-f')));
        await world.create('configmaps', owned('dependent-f', 'ConfigMap', owner));
        const path = world.path('configmaps', 'owner-f');
        const { resourceVersion } = owner.metadata;
        const query = { fieldSelector: 'metadata.name=owner-f', resourceVersion };
        const watching = world.watch('configmaps', query, (seen) => seen.some(({ type }) => type === 'DELETED'));
        const answer = await world.request({ method: 'DELETE', path, body: { propagationPolicy: 'Foreground' } });
        expect(answer).toMatchObject({ status: 200, body: { metadata: { finalizers: ['foregroundDeletion'] } } });
        await watching;
        expect(await world.get('configmaps', 'dependent-f')).toMatchObject({ status: 404 });
      });

      it('leaves dependents without owner (orphan)', async () => {
        const owner = item(await world.create('configmaps', configMap('owner-o')));
        await world.create('configmaps', owned('dependent-o', 'ConfigMap', owner));
        const path = world.path('configmaps', 'owner-o');
        await world.request({ method: 'DELETE', path, body: { propagationPolicy: 'Orphan' } });
        await gone('configmaps', 'owner-o');
        const left = (await world.get('configmaps', 'dependent-o')).body as { metadata: object };
        expect(left.metadata).not.toHaveProperty('ownerReferences');
      });

      it('removes what names an owner that does not exist', async () => {
        const ghost = { metadata: { name: 'ghost', uid: '00000000-0000-4000-8000-000000000001', resourceVersion: '' } };
        await world.create('configmaps', owned('haunted', 'ConfigMap', ghost));
        await gone('configmaps', 'haunted');
      });
    });

    describe('pods', () => {
      it('runs to the end and keeps exit code and log', async () => {
        const script = 'for i in 1 2 3 4 5; do echo line $i of $WHO; done; exit 3';
        await world.create(
          'pods',
          pod(
            'ends',
            shell(script, { env: [{ name: 'WHO', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
          ),
        );
        const ended = await podWhen('ends', ({ status }) => status.phase === 'Failed');
        expect(ended.status.containerStatuses?.[0]?.state['terminated']).toMatchObject({
          exitCode: 3,
          reason: 'Error',
        });
        const path = world.path('pods', 'ends', 'log');
        const log = async (query: Record<string, string>) => (await world.request({ method: 'GET', path, query })).body;
        expect(await log({})).toBe('line 1 of ends\nline 2 of ends\nline 3 of ends\nline 4 of ends\nline 5 of ends\n');
        expect(await log({ tailLines: '2' })).toBe('line 4 of ends\nline 5 of ends\n');
        expect(await log({ limitBytes: '6' })).toBe('line 1');
        expect(await log({ follow: 'true', container: 'main', tailLines: '1' })).toBe('line 5 of ends\n');
        expect(await world.request({ method: 'GET', path, query: { container: 'other' } })).toMatchObject({
          status: 400,
        });
        expect(await world.request({ method: 'GET', path, query: { previous: 'true' } })).toMatchObject({
          status: 400,
          body: { message: 'previous terminated container "main" in pod "ends" not found' },
        });
      });

      it('mounts ConfigMaps and Secrets, passes variables, runs init containers first', async () => {
        await world.create('configmaps', { metadata: { name: 'files' }, data: { 'a.txt': 'from the map' } });
        await world.create('secrets', { metadata: { name: 'keys' }, stringData: { token: 'from the secret' } });
        const mounts = [
          { name: 'work', mountPath: '/work-files' },
          { name: 'files', mountPath: '/etc/test-files' },
          { name: 'keys', mountPath: '/etc/test-keys' },
        ];
        const volumes = [
          { name: 'work', emptyDir: {} },
          { name: 'files', configMap: { name: 'files', items: [{ key: 'a.txt', path: 'sub/b.txt' }] } },
          { name: 'keys', secret: { secretName: 'keys' } },
        ];
        const env = [
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
          { name: 'MAPPED', valueFrom: { configMapKeyRef: { name: 'files', key: 'a.txt' } } },
          { name: 'TWICE', value: '$(TOKEN) and $(NONE)' },
        ];
        const init = { ...shell('echo prepared > /work-files/x', { volumeMounts: mounts }), name: 'prepare' };
        const script =
          'cat /work-files/x /etc/test-files/sub/b.txt; echo; cat /etc/test-keys/token; echo; echo "$MAPPED; $TWICE"';
        await world.create(
          'pods',
          pod('mounts', shell(script, { env, volumeMounts: mounts }), { initContainers: [init], volumes }),
        );
        const ended = await podWhen(
          'mounts',
          ({ status }) => status.phase === 'Succeeded' || status.phase === 'Failed',
        );
        expect(ended.status.phase).toBe('Succeeded');
        const log = await world.request({ method: 'GET', path: world.path('pods', 'mounts', 'log') });
        expect(log.body).toBe('prepared\nfrom the map\nfrom the secret\nfrom the map; from the secret and $(NONE)\n');
      });

      it('waits for a ConfigMap that comes later', async () => {
        const volumes = [{ name: 'late', configMap: { name: 'late' } }];
        const container = shell('cat /etc/late/k', { volumeMounts: [{ name: 'late', mountPath: '/etc/late' }] });
        await world.create('pods', pod('waits', container, { volumes }));
        await podWhen(
          'waits',
          ({ status }) => status.containerStatuses?.[0]?.state['waiting']?.reason === 'ContainerCreating',
        );
        await world.create('configmaps', { metadata: { name: 'late' }, data: { k: 'v' } });
        await podWhen('waits', ({ status }) => status.phase === 'Succeeded');
      });

      it('says why it cannot pull an image, in the status and in events', async () => {
        await world.create('pods', pod('no-image', { name: 'main', image: 'registry.invalid/none:1' }));
        const waiting = await podWhen('no-image', ({ status }) =>
          /^(ErrImagePull|ImagePullBackOff)$/.test(status.containerStatuses?.[0]?.state['waiting']?.reason ?? ''),
        );
        expect(waiting.status.phase).toBe('Pending');
        const query = { fieldSelector: 'involvedObject.name=no-image,reason=Failed' };
        const failed = await world.until('the event', async () => {
          const { items } = (await world.request({ method: 'GET', path: world.path('events'), query })).body as {
            items: { type: string; message: string; involvedObject: { uid: string } }[];
          };
          return items.find(({ message }) => message.startsWith('Failed to pull image "registry.invalid/none:1"'));
        });
        expect(failed).toMatchObject({ type: 'Warning', involvedObject: { uid: waiting.metadata.uid } });
        await world.request({ method: 'DELETE', path: world.path('pods', 'no-image') });
      });

      it('says which Secret a container lacks', async () => {
        const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'absent', key: 'k' } } }];
        await world.create('pods', pod('no-secret', shell('true', { env })));
        const waiting = await podWhen(
          'no-secret',
          ({ status }) => status.containerStatuses?.[0]?.state['waiting']?.reason === 'CreateContainerConfigError',
        );
        expect(waiting.status.containerStatuses?.[0]?.state['waiting']?.message).toBe('secret "absent" not found');
        await world.request({ method: 'DELETE', path: world.path('pods', 'no-secret') });
      });

      it('stays without a place when no node fits', async () => {
        await world.create('pods', pod('no-place', shell('true'), { nodeSelector: { 'example.com/none': 'x' } }));
        const waiting = await podWhen(
          'no-place',
          ({ status }) =>
            status.conditions?.some(({ type, status }) => type === 'PodScheduled' && status === 'False') === true,
        );
        expect(waiting.status).toMatchObject({
          phase: 'Pending',
          conditions: [expect.objectContaining({ reason: 'Unschedulable' })],
        });
        await world.request({ method: 'DELETE', path: world.path('pods', 'no-place') });
        expect(await world.get('pods', 'no-place')).toMatchObject({ status: 404 });
      });

      it('restarts a container that fails, then waits between restarts, and keeps the log before', async () => {
        await world.create('pods', pod('crashes', shell('echo started; exit 1'), { restartPolicy: 'Always' }));
        const looping = await podWhen('crashes', ({ status }) => {
          const [container] = status.containerStatuses ?? [];
          return (container?.restartCount ?? 0) >= 1 && container?.state['waiting']?.reason === 'CrashLoopBackOff';
        });
        expect(looping.status.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(1);
        const query = { previous: 'true' };
        const log = await world.request({ method: 'GET', path: world.path('pods', 'crashes', 'log'), query });
        expect(log).toMatchObject({ status: 200, body: 'started\n' });
        await world.request({ method: 'DELETE', path: world.path('pods', 'crashes') });
        await gone('pods', 'crashes');
      });

      it('ends a pod with SIGTERM and the grace period, then removes it', async () => {
        await world.create(
          'pods',
          pod('stops', shell('trap "echo told; exit 0" TERM; while true; do sleep 0.1; done'), {
            terminationGracePeriodSeconds: 20,
          }),
        );
        await podWhen('stops', ({ status }) => status.phase === 'Running');
        const answer = await world.request({ method: 'DELETE', path: world.path('pods', 'stops') });
        expect(answer).toMatchObject({ status: 200, body: { kind: 'Pod' } });
        expect(item((await world.get('pods', 'stops')).body).metadata.deletionTimestamp).toBeDefined();
        await gone('pods', 'stops');
      });
    });

    describe('deployments', () => {
      it('makes ReplicaSet and pod, restarts nothing, follows scale, and takes all along at its end', async () => {
        await world.create('deployments', deployment('serves', shell('sleep 600')));
        const ready = await world.until('availability', async () => {
          const { body } = await world.get('deployments', 'serves');
          const { status } = body as { status?: { availableReplicas?: number } };
          return status?.availableReplicas === 1 ? (body as Item & { status: Record<string, unknown> }) : undefined;
        });
        expect(ready.status).toMatchObject({
          observedGeneration: ready.metadata.generation,
          replicas: 1,
          updatedReplicas: 1,
          readyReplicas: 1,
        });
        expect(ready.status['conditions']).toEqual(
          expect.arrayContaining([
            expect.objectContaining({ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }),
            expect.objectContaining({ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }),
          ]),
        );
        const labelSelector = 'app=serves';
        const [podName = ''] = await world.names('pods', { labelSelector });
        expect(podName).toMatch(/^serves-[a-z0-9]+-[a-z0-9]{5}$/);
        await world.request({ method: 'DELETE', path: world.path('pods', podName) });
        await world.until('a successor', async () => {
          const names = await world.names('pods', { labelSelector });
          return names.some((each) => each !== podName) ? true : undefined;
        });
        const path = world.path('deployments', 'serves');
        await world.request({ method: 'PATCH', path, body: { spec: { replicas: 0 } }, contentType: MERGE_PATCH });
        const none = async (resource: string) =>
          (await world.names(resource, { labelSelector })).length === 0 ? true : undefined;
        await world.until('no pods', () => none('pods'));
        await world.request({ method: 'PATCH', path, body: { spec: { replicas: 1 } }, contentType: MERGE_PATCH });
        await world.until('a pod', async () => ((await none('pods')) === undefined ? true : undefined));
        await world.request({ method: 'DELETE', path, body: { propagationPolicy: 'Foreground' } });
        await gone('deployments', 'serves');
        expect(await world.names('replicasets', { labelSelector })).toEqual([]);
        expect(await world.names('pods', { labelSelector })).toEqual([]);
      });

      it('says why no pod comes to be: quota, service account', async () => {
        await world.create('resourcequotas', {
          metadata: { name: 'small' },
          spec: { hard: { 'count/secrets': '100', pods: '0' } },
        });
        await world.until('the quota', async () => {
          const { status } = (await world.get('resourcequotas', 'small')).body as { status?: { used?: object } };
          return status?.used === undefined ? undefined : true;
        });
        const refused = await world.request({
          method: 'POST',
          path: world.path('pods'),
          body: pod('too-many', shell('true')),
        });
        expect(refused).toMatchObject({
          status: 403,
          body: {
            reason: 'Forbidden',
            message: expect.stringContaining('exceeded quota: small, requested: pods=1, used: pods=') as string,
          },
        });
        await world.create('deployments', deployment('starved', shell('true')));
        const failure = await world.until('the condition', async () => {
          const { status } = (await world.get('deployments', 'starved')).body as {
            status?: { conditions?: { type: string; message: string }[] };
          };
          return status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
        });
        expect(failure).toMatchObject({
          status: 'True',
          reason: 'FailedCreate',
          message: expect.stringContaining('exceeded quota: small') as string,
        });
        await world.request({ method: 'DELETE', path: world.path('resourcequotas', 'small') });
        await world.request({ method: 'DELETE', path: world.path('deployments', 'starved') });
        const nobody = await world.request({
          method: 'POST',
          path: world.path('pods'),
          body: pod('nobody', shell('true'), { serviceAccountName: 'nobody' }),
        });
        expect(nobody).toMatchObject({
          status: 403,
          body: { message: expect.stringContaining('serviceaccount "nobody" not found') as string },
        });
      });
    });

    describe('services', () => {
      it('reaches a pod through the service proxy and the pod proxy', async () => {
        const answer = [
          'use IO::Socket::INET; $| = 1;',
          'my $server = IO::Socket::INET->new(LocalAddr => $ENV{POD_IP}, LocalPort => 8099, Listen => 5, ReuseAddr => 1) or die $!;',
          'while (my $client = $server->accept) { my $line = <$client>; while (<$client>) { last if /^\\r?$/ }',
          'my $body = "you asked $line"; $body =~ s/\\r?\\n//;',
          'print $client "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($body) . "\\r\\nConnection: close\\r\\n\\r\\n$body"; close $client }',
        ].join(' ');
        const env = [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }];
        const container = {
          name: 'main',
          image: world.image,
          command: ['perl', '-e', answer],
          env,
          ports: [{ name: 'http', containerPort: 8099 }],
        };
        const selector = { app: 'answers' };
        const service = (serviceName: string, port: object, selects: object) => ({
          metadata: { name: serviceName },
          spec: { selector: selects, ports: [port] },
        });
        await world.create('services', service('answers', { name: 'web', port: 80, targetPort: 'http' }, selector));
        await world.create('services', service('empty', { port: 80 }, { app: 'nothing' }));
        const empty = await world.until('an answer for the Service without pods', async () => {
          const asked = await world.request({ method: 'GET', path: `${world.path('services')}/empty:80/proxy/` });
          // Not found until its Endpoints have been made.
          return asked.status === 404 ? undefined : asked;
        });
        expect(empty).toMatchObject({ status: 503, body: { kind: 'Status', reason: 'ServiceUnavailable' } });
        await world.create('pods', pod('answers', container));
        const reach = (path: string, query: Record<string, string> = {}) =>
          world.until(path, async () => {
            const asked = await world.request({ method: 'GET', path, query });
            return asked.status === 200 ? asked.body : undefined;
          });
        const expected = 'you asked GET /a/b%20c?q=1 HTTP/1.1';
        expect(await reach(`${world.path('services')}/answers:web/proxy/a/b%20c`, { q: '1' })).toBe(expected);
        expect(await reach(`${world.path('services')}/answers:80/proxy/a/b%20c`, { q: '1' })).toBe(expected);
        expect(await reach(`${world.path('pods')}/answers:8099/proxy/a/b%20c`, { q: '1' })).toBe(expected);
        expect(
          await world.request({ method: 'GET', path: `${world.path('services')}/missing:80/proxy/` }),
        ).toMatchObject({ status: 404 });
        await world.request({ method: 'DELETE', path: world.path('pods', 'answers'), body: { gracePeriodSeconds: 0 } });
      });
    });

    describe('the API itself', () => {
      it('describes itself, allows access, and knows no other path', async () => {
        const get = (path: string) => world.request({ method: 'GET', path });
        expect(await get('/apis/apps/v1')).toMatchObject({
          status: 200,
          body: { kind: 'APIResourceList', groupVersion: 'apps/v1' },
        });
        expect(await get('/version')).toMatchObject({ status: 200, body: { major: '1' } });
        expect((await get('/readyz')).body).toBe('ok');
        expect(await get('/apis/example.com/v1/things')).toMatchObject({ status: 404 });
        const review = await world.request({
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes: { namespace: world.namespace, verb: 'create', resource: 'pods' } },
          },
        });
        expect(review).toMatchObject({ status: 201, body: { status: { allowed: true } } });
      });
    });
  });
}
