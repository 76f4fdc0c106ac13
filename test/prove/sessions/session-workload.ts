import type { Draws } from '../draws.ts';

/** Pools that the deployment configures; `safe` has high availability. */
export const POOLS = `
  plain: { idleAfter: 20s }
  safe:
    idleAfter: 90s
    flinkConfiguration: { high-availability.type: kubernetes, high-availability.storageDir: 's3://ha/x' }`;

/** A session that somebody made by hand, and lets others use. */
export const THEIRS = 'theirs';

export function isSession(clusterId: string): boolean {
  return clusterId === THEIRS || /^(plain|safe)-[0-9a-f]{8}$/.test(clusterId);
}

export interface Place {
  /** Of the spec. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** The jar comes from a bucket, although no upload says so. */
  readonly fromBucket: boolean;
}

export function hasSessions(draws: Draws): boolean {
  return draws.chance('some run in sessions', 0.3);
}

/** What a wish's run runs on, and where its jar is. */
export function placeOf(draws: Draws, name: string, hasQuota: boolean): Place {
  const chance = (what: string, probability: number): boolean => draws.chance(what, probability);
  if (hasSessions(draws) && chance(`${name} in a session`, 0.75)) {
    const session = draws.pick<Readonly<Record<string, string>>>(`${name} session`, [
      { pool: 'plain' },
      { pool: 'plain' },
      { pool: 'safe' },
      { pool: 'safe' },
      { clusterId: THEIRS },
    ]);
    return { spec: { mode: 'session', session }, fromBucket: true };
  }
  // The quota counts two Deployments of one cluster, and one may be all that it admits.
  const standalone = !hasQuota && chance('some run standalone', 0.2) && chance(`${name} standalone`, 0.5);
  return {
    spec: standalone ? { mode: 'standalone' } : {},
    fromBucket: chance('some jars of a bucket', 0.3) && chance(`${name} of a bucket`, 0.5),
  };
}
