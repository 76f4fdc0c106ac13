import { advanceDeployment } from '../../../lib/dispatch/deployment/advance-deployment.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { World } from '../scripted/world.ts';

export const STREAM_FOREVER = { restAfter: 600, runsAfter: 1100 };

/** Deployments over runs as their own functions take them, on a Flink of the tests. */
export class Whole {
  readonly world = new World({ inlineWait: 0 });
  private taken = 0;

  constructor() {
    this.world.flink.behaviours = [STREAM_FOREVER];
    this.world.sessions.jobs = [{ runsAfter: 300 }];
    this.world.sessions.slotsAvailable = 1;
  }

  clusterOf(number: number): string {
    return this.runs[number]?.attempts.at(-1)?.clusterId ?? '';
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await this.world.drainFor(1000);
      const { deployments } = this.world.runQueue;
      const ids = new Set(deployments.slice(this.taken).map(({ deployment }) => deployment));
      this.taken = deployments.length;
      for (const id of ids) await advanceDeployment(id, this.world.dispatch, this.world.clock.now() + 60_000);
    }
  }

  get deployment(): DeploymentRecord {
    const [record] = this.world.deployments.records;
    if (record === undefined) throw new Error('no deployment');
    return record;
  }

  get runs(): readonly RunRecord[] {
    return this.world.ledger.records;
  }
}
