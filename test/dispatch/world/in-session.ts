import { poolOwner } from '../../../lib/dispatch/modes/pool.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import { clusterId } from '../../fakes/ids.ts';
import { smallCluster } from '../../fakes/flink-cluster.ts';
import { World, type WorldOptions } from './world.ts';

export const JOB = { jarURI: 's3://jars/job.jar', entryClass: 'a.B', args: ['--x', 'y z'], parallelism: 2 };
export const TEAM: ClusterRef = { namespace: 'flink', clusterId: clusterId('team-a') };
/** Parts of a spec: the job runs in a session of somebody else, or in one of a pool. */
export const inTeam = { job: JOB, session: { clusterId: 'team-a' } };
export const inPool = { job: JOB, mode: 'session', session: { pool: 'small' } };

/** A world in which the session `team-a` stands. */
export async function withTeam(options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  await standTeam(world);
  return world;
}

export async function standTeam(world: World): Promise<void> {
  const cluster = smallCluster({ ...TEAM, image: 'flink:2.3.0' });
  await world.clusters.apply(cluster, poolOwner({ name: 'theirs' }, 'another-ledger'));
}

export function poolRef(world: World, runId: RunId): ClusterRef {
  const { clusterId } = world.record(runId).attempts.at(-1) ?? {};
  if (clusterId === undefined) throw new Error('no attempt');
  return { namespace: 'flink', clusterId };
}
