import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { apiPath, type KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { apiOfKubeconfig, must } from '../contract/support/kubernetes.ts';
import { startRun, type Run, type Spec } from './support/dispatcher.ts';
import { WORD_COUNT } from './support/jobs.ts';
import { FLINK_VERSIONS, kubectl } from './support/lab.ts';
import { kubeconfigOf, openTenant } from './support/tenant.ts';

const [VERSION = ''] = FLINK_VERSIONS;
const MINUTE = 60_000;

/** A scheduler that is not there leaves every pod waiting: the run starts for as long as a test needs, and no JVM does. */
const STARTS_FOR_EVER: Spec = {
  ...WORD_COUNT,
  podTemplate: { spec: { schedulerName: 'nobody', containers: [{ name: 'flink-main-container' }] } },
  deadlines: { start: '1h' },
};

/** Steps that failed are tried again after a while, which the test puts forward. */
async function untilStepError(run: Run, message: RegExp): Promise<void> {
  await run.until(({ stepError }) => message.test(stepError?.message ?? ''), 60);
}

describe('access that is lost while a run goes on', { timeout: 300_000 }, () => {
  let admin: KubernetesApi;
  beforeAll(async () => {
    admin = await apiOfKubeconfig();
  });

  it('comes back with the credential that replaced one that is not valid any more', async (test) => {
    const tenant = await openTenant(admin);
    test.onTestFinished(() => tenant.remove());
    const secrets = apiPath('api', 'v1', 'namespaces', tenant.namespace, 'secrets');
    const body = { metadata: { name: 'first' } };
    const { metadata } = (await must(admin, { method: 'POST', path: secrets, body })) as { metadata: { uid: string } };
    // A token goes with the object that it is bound to.
    const bound = { apiVersion: 'v1', kind: 'Secret', name: 'first', uid: metadata.uid };
    writeFileSync(tenant.kubeconfig, await kubeconfigOf(admin, tenant.namespace, bound));
    const run = await startRun({ tenant, version: VERSION, spec: STARTS_FOR_EVER }, test);
    await run.until(({ state }) => state === 'starting', 60);

    await must(admin, { method: 'DELETE', path: `${secrets}/first` });
    await untilStepError(run, /does not accept the target's credentials/);
    writeFileSync(tenant.kubeconfig, await kubeconfigOf(admin, tenant.namespace));
    run.clock.skip(MINUTE);
    await run.until(({ stepError, state }) => stepError === undefined && state === 'starting', 60);

    await run.cancel();
    expect((await run.completed(60)).event.data).toMatchObject({ state: 'canceled' });
    await run.closed();
  });

  it('ends the run when its namespace is gone, and its rights with it', async (test) => {
    const tenant = await openTenant(admin);
    test.onTestFinished(() => tenant.remove());
    const run = await startRun({ tenant, version: VERSION, spec: STARTS_FOR_EVER }, test);
    await run.until(({ state }) => state === 'starting', 60);

    // What of a namespace goes first is left to chance; here it is the rights.
    await kubectl('delete', 'rolebindings', '--all', '--namespace', tenant.namespace);
    await kubectl('delete', 'namespace', tenant.namespace, '--wait=false');
    await untilStepError(run, /forbidden/);
    run.clock.skip(60 * MINUTE);
    const { data } = (await run.completed(60)).event;
    expect(data).toMatchObject({ state: 'unknown', reason: 'PermissionDenied' });
    expect(data.message).toMatch(/deadlines\.start is over, and whether the job ended is not known.*forbidden/);

    await run.until(({ state, stepError }) => state === 'cleaning' && stepError !== undefined, 60);
    run.clock.skip(25 * 60 * MINUTE);
    expect(await run.closed()).toMatchObject({ outcome: { state: 'unknown' } });
  });
});
