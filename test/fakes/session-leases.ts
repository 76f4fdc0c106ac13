import { Payload } from '../../lib/core/payload.ts';
import type { SessionDeps } from '../../lib/dispatch/deps.ts';
import type { SessionLease, SessionLeases, SessionRef } from '../../lib/run/session-lease.ts';

/** Leases in memory, as JSON. */
export class FakeSessionLeases implements SessionLeases {
  private readonly stored = new Map<string, { text: string; version: string }>();
  private versions = 0;

  get all(): readonly SessionLease[] {
    return [...this.stored.values()].map(({ text }) => JSON.parse(text) as SessionLease);
  }

  read(ref: SessionRef): ReturnType<SessionLeases['read']> {
    const known = this.stored.get(keyOf(ref));
    return Promise.resolve(
      known === undefined ? undefined : { value: JSON.parse(known.text) as SessionLease, version: known.version },
    );
  }

  write(lease: SessionLease, version: string | undefined): Promise<boolean> {
    if (this.stored.get(keyOf(lease))?.version !== version) return Promise.resolve(false);
    this.versions += 1;
    this.stored.set(keyOf(lease), { text: JSON.stringify(lease), version: String(this.versions) });
    return Promise.resolve(true);
  }

  list(target: string): Promise<readonly SessionRef[]> {
    return Promise.resolve(this.all.filter((lease) => lease.target === target));
  }

  remove(ref: SessionRef, version: string): Promise<boolean> {
    if (this.stored.get(keyOf(ref))?.version !== version) return Promise.resolve(false);
    return Promise.resolve(this.stored.delete(keyOf(ref)));
  }
}

function keyOf({ target, namespace, clusterId }: SessionRef): string {
  return `${target}/${namespace}/${clusterId}`;
}

/** For suites that have no sessions, or whose jars are these bytes. */
export function fakeSessions(jar: Uint8Array = new Uint8Array()): SessionDeps & { readonly leases: FakeSessionLeases } {
  return {
    leases: new FakeSessionLeases(),
    jarBytes: () => Promise.resolve(Payload.of(jar)),
    submitter: 'this process',
  };
}
