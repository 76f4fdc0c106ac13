import type { SessionDeps } from '../../../lib/dispatch/deps.ts';
import { s3JarBytes } from '../../../lib/job/jar/s3-jar-bytes.ts';
import { createS3SessionLeases } from '../../../lib/run/store/s3-session-leases.ts';
import { LEDGER } from '../functions.ts';
import { SessionFlink } from './session-flink.ts';
import { SessionInvariants } from './session-invariants.ts';
import { SessionPeople } from './session-people.ts';
import { isSession, THEIRS } from './session-workload.ts';
import type { Invocation } from '../simulation.ts';
import type { World } from '../world.ts';

/** Sessions of a world: their JobManagers, who else uses them, what must hold of them. */
export class SessionWorld {
  readonly flink: SessionFlink;
  readonly invariants: SessionInvariants;
  private readonly world: World;
  /** Functions by the process that they run in. */
  private readonly environments: Invocation[] = [];

  constructor(world: World) {
    this.world = world;
    const { sim, kubernetes, wishes } = world;
    const { draws } = sim;
    const theirsIsSafe = draws.chance('theirs has high availability', 0.4);
    const theirsKeeps = draws.chance('theirs keeps results', 0.5);
    const hasHighAvailability = (clusterId: string): boolean =>
      clusterId === THEIRS ? theirsIsSafe : clusterId.startsWith('safe-');
    this.flink = new SessionFlink(sim, kubernetes, {
      isSession,
      hasHighAvailability,
      keepsResults: (clusterId) =>
        clusterId === THEIRS ? theirsKeeps : this.configOf(clusterId).includes('job-result-store'),
      programOf: (jobId) => {
        const { record, number } = this.invariants.attemptOf(jobId) ?? {};
        return world.programOf(record?.name ?? '', number ?? 1);
      },
    });
    this.invariants = new SessionInvariants(world, this.flink);
    const people = new SessionPeople(sim, kubernetes, this.flink);
    const theirs = wishes.some(({ spec }) => JSON.stringify(spec['session'] ?? {}).includes(THEIRS));
    if (theirs) people.begin();
  }

  /** What one function has of sessions. */
  deps(invocation: Invocation): SessionDeps {
    const s3 = this.world.s3.client(invocation);
    return {
      leases: createS3SessionLeases({ s3, bucket: LEDGER }),
      jarBytes: s3JarBytes(s3),
      submitter: this.submitterOf(invocation),
    };
  }

  /** A process of Lambda's runs one function after another. */
  private submitterOf(invocation: Invocation): string {
    const { draws } = this.world.sim;
    const free = this.environments.findIndex(({ alive }) => !alive);
    const again = free >= 0 && draws.chance(`${invocation.label} in a warm process`, 0.6);
    const index = again ? free : this.environments.length;
    this.environments[index] = invocation;
    return `process ${index}`;
  }

  /** As Flink reads it. */
  private configOf(clusterId: string): string {
    const map = this.world.kubernetes.find('ConfigMap', `flink-config-${clusterId}`)?.object as
      { readonly data?: Readonly<Record<string, string>> } | undefined;
    return Object.values(map?.data ?? {}).join('\n');
  }
}
