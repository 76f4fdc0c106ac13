import type { DeploymentId } from '../../lib/core/ids.ts';
import { DeploymentsWorld, stream } from '../dispatch/world/deployments-world.ts';
import { LEDGER } from '../prove/functions.ts';
import type { FakeS3 } from '../fakes/s3.ts';

export interface ShownStream {
  readonly id: DeploymentId;
  readonly runs: readonly string[];
}

/** Puts a stream into a ledger that was upgraded once, as the functions leave it; no list of runs has its runs. */
export async function storeStream(s3: FakeS3): Promise<ShownStream> {
  const world = new DeploymentsWorld();
  await world.request(stream({}, { args: ['--topic', 'orders'] }));
  await world.pass(40_000);
  await world.request(stream({}, { args: ['--topic', 'orders-v2'] }));
  await world.pass(60_000);
  for (const folder of ['deployments', 'runs']) {
    for (const path of world.s3.keys(`${LEDGER}/${folder}/`)) {
      s3.store(path.replace(LEDGER, 'ledger'), world.s3.text(path) ?? '');
    }
  }
  return { id: world.deployed.id, runs: world.runs.map(({ runId }) => runId) };
}
