import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { checkTools } from '../../infra/local/flink/tools.ts';
import { silent } from '../../infra/local/progress.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { EVERY_WAY, operations } from '../local/operations/suite.ts';
import { FLINK_VERSIONS, imageOf, LAB } from './support/lab.ts';
import { openTenant, type Tenant } from './support/tenant.ts';

/** As on the local Kubernetes, with the least Role; pods fetch their jars from this machine, so this runs where they reach it. */
const host = process.env['NODE_IP'];
const { missing } = await checkTools();
const lacking = missing.map(({ name, todo }) => `${name}: ${todo}`).join('; ');
const skipped = host === undefined ? 'run it inside the cluster: test/cluster/lab/enter npm run test:cluster' : lacking;
if (skipped !== '' && process.env['CI'] !== undefined) throw new Error(`operations cannot be tested: ${skipped}`);
if (skipped !== '') console.warn(`SKIPPED: test/cluster/operations.test.ts: ${skipped}`);

describe.skipIf(skipped !== '')('operations, on a real cluster', () => {
  let tenant: Tenant;
  let stack: Stack;
  const [version = ''] = FLINK_VERSIONS;

  beforeAll(async () => {
    tenant = await openTenant(await apiOfKubeconfig());
    process.env['FLINK_HOME'] ??= join(LAB, 'flink', version);
    const { kubeconfig, namespace } = tenant;
    const kubernetes = { kubeconfig, namespace, image: imageOf(version), serviceAccount: 'flink' };
    stack = await startStack({ progress: silent, kubernetes, host: host ?? '', parameters: { HttpApi: 'iam' } });
  });
  afterAll(async () => {
    await stack?.stop();
    await tenant.remove();
  });

  // What a way does is the same on any cluster: EVERY_WAY=1 plays all of them. The lab's images were put into its nodes by hand.
  const ways = process.env['EVERY_WAY'] === '1' ? EVERY_WAY : (['by HTTP'] as const);
  operations(() => ({ stack, host: host ?? '', hasDigests: false }), ways);
});
