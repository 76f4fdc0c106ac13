import type { DeploymentId } from '../../../lib/core/ids.ts';
import { deploymentKey } from '../../../lib/deployment/record.ts';
import { LEDGER } from '../functions.ts';
import type { Program } from '../servers/flink.ts';
import type { Invocation } from '../simulation.ts';
import { howOf } from '../streams/stream-job.ts';
import { streamProgram, type Conduct } from '../streams/streams.ts';
import type { World } from '../world.ts';
import { DeploymentInvariants } from './deployment-invariants.ts';
import { DeploymentPerson } from './deployment-person.ts';

const CLUSTER = /^(d\d)-([0-9a-f]{10}-\d+)$/;

/** The deployments of a world, and who wants something of them. */
export class DeploymentWorld {
  readonly invariants: DeploymentInvariants;
  private readonly people: readonly DeploymentPerson[];
  private readonly world: World;
  private readonly programs = new Map<string, Program>();

  constructor(world: World) {
    this.world = world;
    this.invariants = new DeploymentInvariants(world);
    const names = Array.from({ length: world.workload.deployments ?? 0 }, (_, n) => `d${n + 1}`);
    this.people = names.map((name) => new DeploymentPerson(world, name, this.invariants));
  }

  /** Nobody wants anything of them any more. */
  get isOver(): boolean {
    return this.people.every(({ isOver }) => isOver);
  }

  get upgrades(): number {
    return this.invariants.upgrades;
  }

  isThere(id: DeploymentId): boolean {
    return this.world.s3.objects.has(`${LEDGER}/${deploymentKey(id)}`);
  }

  onMessage(id: DeploymentId, by: Invocation): void {
    this.invariants.onMessage(id, by);
  }

  /** Absent: its job is none of theirs. */
  conductOf(clusterId: string): Conduct | undefined {
    const [, name] = CLUSTER.exec(clusterId) ?? [];
    if (name === undefined) return undefined;
    const { sim, workload } = this.world;
    if (workload.script !== undefined) return { name, pace: [2_000, 2_000], howOf: () => 'completes' };
    const slow = sim.draws.pick(`${clusterId} pace`, [3, 10, 40]);
    return { name, pace: [1_000, 1_000 * slow], howOf: howOf(sim) };
  }

  programOf(clusterId: string): Program | undefined {
    const [, name] = CLUSTER.exec(clusterId) ?? [];
    if (name === undefined) return undefined;
    const known = this.programs.get(clusterId);
    if (known !== undefined) return known;
    const { script } = this.world.workload;
    const program = script?.program ?? streamProgram(this.world.sim.draws, clusterId, name);
    const own = this.isFaulty(clusterId) ? { ...program, mainFails: true } : program;
    if (this.world.kubernetes.find('Deployment', clusterId) !== undefined) this.programs.set(clusterId, own);
    return own;
  }

  /** Its image says so. */
  private isFaulty(clusterId: string): boolean {
    return JSON.stringify(this.world.kubernetes.find('Deployment', clusterId)?.object ?? '').includes('flink:fails');
  }

  atRest(): void {
    for (const { id } of this.people) this.invariants.atRest(id);
  }
}
