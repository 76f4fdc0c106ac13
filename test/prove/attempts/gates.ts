import type { RunRecord } from '../../../lib/run/record.ts';
import type { World } from '../world.ts';
import { onRecord } from './on-record.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const LONG = [0, 20 * SECOND, 2 * MINUTE, 15 * MINUTE, 40 * MINUTE] as const;

interface Shut {
  readonly from: number;
  readonly to: number;
}

/** Somebody admits pods in time of his own, as Kueue does: such time is none of the start of an attempt. */
export class Gates {
  /** By cluster, of each of its pods. */
  private readonly shut = new Map<string, Shut[]>();
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
    const { sim, kubernetes } = world;
    const { draws } = sim;
    kubernetes.gateFor = (pod) => {
      if (!draws.chance('pods are gated', 0.05)) return 0;
      const duration = draws.pick<number>(`gate of ${pod.name}`, LONG);
      const cluster = pod.labels['app'] ?? '';
      if (duration > 0)
        this.shut.set(cluster, [...(this.shut.get(cluster) ?? []), { from: sim.now, to: sim.now + duration }]);
      return duration;
    };
    onRecord(world, (record) => this.check(record));
  }

  private check({ name, job, attempts }: RunRecord): void {
    const { outcome, gate, clusterId = '', launchedAt = 0 } = attempts.at(-1) ?? {};
    const [shut, ...more] = this.shut.get(clusterId) ?? [];
    if (outcome?.message.includes('deadlines.start') !== true || job === undefined) return;
    // Before all objects are made nothing looks at pods.
    if (shut === undefined || more.length > 0 || outcome.message.includes('could not be created')) return;
    // No look may have come while it was shut for a short time.
    if (gate === undefined && shut.to - shut.from < 15 * MINUTE) return;
    const gated = Math.max(0, Math.min(shut.to, outcome.at) - Math.max(shut.from, launchedAt));
    const used = outcome.at - launchedAt - gated;
    const holds = used >= job.deadlines.start - SECOND;
    const detail = (): string => `${name}: ${used} ms and ${gated} ms behind a gate: ${outcome.message}`;
    this.world.invariants.check('deadlines.start holds while pods may be scheduled', holds, detail);
  }
}
