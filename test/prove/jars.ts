import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1ConfigMap } from '@kubernetes/client-node';
import { jarName, pinnedKey } from '../../lib/job/jar/pin.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import type { Execution } from './servers/flink.ts';
import { LEDGER } from './functions.ts';
import { folderOf } from './tenants.ts';
import type { Wish } from './workload.ts';
import type { World } from './world.ts';

const fixture = (name: string): Uint8Array => readFileSync(join(process.cwd(), 'test/fixtures/jars', name));
const CONTENTS = [fixture('main-class.jar'), fixture('stored.jar')] as const;
const DAY = 24 * 60 * 60_000;

const SIGNED = /https:\/\/s3\.test\/([^?\s"']+)\?expires=\d+/;

export function signedUrl(bucket: string, key: string, expires: number): string {
  return `https://s3.test/${bucket}/${key}?expires=${Math.round(expires)}`;
}

/** Jars of a world: users put them into their bucket, replace and delete them; what runs is what was accepted. */
export class Jars {
  private readonly world: World;
  private readonly placed = new Set<string>();
  /** SHA-256 by the ETag of all that ever was in the users' bucket. */
  private readonly sums = new Map<string, string>();

  constructor(world: World) {
    this.world = world;
    const { s3, sim } = world;
    s3.sums = sim.draws.chance('S3 computes sums', 0.8);
    const { onPut } = s3;
    s3.onPut = (put) => {
      onPut(put);
      const record = world.invariants.recordOf(put);
      if (record !== undefined) this.onRecord(record);
    };
    s3.onCopy = (path, body) => this.onCopy(path, body);
  }

  /** Where a wish's jar is, once it is put there. */
  keyOf({ name, kind, tenant, fromBucket }: Wish): string | undefined {
    const folder = folderOf(tenant);
    if (kind === 'upload') return `${folder}${name}.jar`;
    if (!fromBucket) return undefined;
    return this.world.sim.draws.chance(`${name} shares its jar`, 0.5) ? `${folder}shared.jar` : `${folder}${name}.jar`;
  }

  uriOf(wish: Wish): string {
    const key = this.keyOf(wish);
    return key === undefined ? 'local:///opt/job.jar' : `s3://jars/${key}`;
  }

  /** Puts the jar there; somebody may soon put another in its place, or take it away. */
  put(wish: Wish): void {
    const { sim, s3 } = this.world;
    const key = this.keyOf(wish);
    if (key === undefined || this.placed.has(wish.name)) return;
    this.placed.add(wish.name);
    const { draws } = sim;
    const content = draws.pick(`${wish.name} jar`, [...CONTENTS]);
    this.store(key, content);
    const soon = (what: string): number => draws.between(`${wish.name} jar ${what} at`, 0, 5_000);
    if (draws.chance(`${wish.name} jar kept long ago`, 0.2)) this.keepLongAgo(key, content);
    if (draws.chance(`${wish.name} jar replaced`, 0.12)) {
      sim.after(soon('replaced'), () => {
        sim.tell('user', `replaces ${key}`);
        this.store(key, content === CONTENTS[0] ? CONTENTS[1] : CONTENTS[0]);
      });
    }
    if (draws.chance(`${wish.name} jar deleted`, 0.05)) {
      sim.after(soon('deleted'), () => {
        sim.tell('user', `deletes ${key}`);
        s3.objects.delete(`jars/${key}`);
      });
    }
  }

  /** What Flink is told to fetch, as it stands in the ConfigMap of a cluster that starts. */
  onExecution({ clusterId, held }: Execution, { name, job }: RunRecord): void {
    // Its jar was uploaded.
    if (held !== undefined) return;
    const { kubernetes, s3, invariants } = this.world;
    const map = kubernetes.find('ConfigMap', `flink-config-${clusterId}`)?.object as V1ConfigMap | undefined;
    const [, path = ''] = SIGNED.exec(Object.values(map?.data ?? {}).join('\n')) ?? [];
    if (map === undefined || job?.jar.pinned === undefined) return;
    const body = s3.objects.get(path)?.body;
    const fetched = body === undefined || typeof body === 'string' ? 'nothing' : sumOf(body);
    const same = fetched === job.jar.pinned.sha256;
    invariants.check('the jar that was accepted is the one that runs', same, () => `${name}: ${path}: ${fetched}`);
  }

  /** An upload under a key that has others: every second one has the same bytes. */
  storeVersion(key: string, number: number): void {
    this.store(key, number % 2 === 0 ? CONTENTS[0] : CONTENTS[1]);
  }

  store(key: string, content: Uint8Array): void {
    const { s3 } = this.world;
    s3.store(`jars/${key}`, content);
    this.sums.set(bare(s3.objects.get(`jars/${key}`)?.eTag), sumOf(content));
  }

  /** An earlier run left a copy, which the bucket's lifecycle would take away soon. */
  private keepLongAgo(key: string, content: Uint8Array): void {
    const { s3, sim } = this.world;
    const path = `${LEDGER}/${pinnedKey(sumOf(content), key)}`;
    if (s3.objects.has(path)) return;
    s3.store(path, content);
    const stored = s3.objects.get(path);
    if (stored !== undefined) s3.objects.set(path, { ...stored, modified: sim.now - 45 * DAY });
  }

  private onCopy(path: string, body: Uint8Array): void {
    const [, sha256] = /^[^/]+\/jars\/sha256\/([0-9a-f]{64})\//.exec(path) ?? [];
    if (sha256 === undefined) return;
    this.world.invariants.check('a jar is kept by its content', sumOf(body) === sha256, () => path);
  }

  private onRecord({ name, state, job }: RunRecord): void {
    const { invariants, s3, sim } = this.world;
    const { pinned, s3: source, uri } = job?.jar ?? {};
    if (source === undefined || job === undefined || state === 'closed') return;
    invariants.check('a run keeps its jar', pinned !== undefined, () => `${name}: ${uri ?? ''}`);
    if (pinned === undefined) return;
    const kept = s3.objects.get(`${pinned.bucket}/${pinned.key}`);
    const body = kept === undefined || typeof kept.body === 'string' ? undefined : kept.body;
    const same = body !== undefined && sumOf(body) === pinned.sha256 && pinned.size === body.length;
    invariants.check('a run keeps its jar', same, () => `${name}: ${pinned.key}`);
    const age = sim.now - (kept?.modified ?? 0);
    invariants.check(
      'a kept jar does not expire under its run',
      age < 31 * DAY || sim.skipped > 0,
      () => `${name}: ${pinned.key}`,
    );
    const readable = pinned.key.endsWith(`/${jarName(source.key)}`);
    const meant = this.sums.get(bare(source.eTag)) === pinned.sha256 && readable;
    invariants.check('what was looked into is what is kept', meant, () => `${name}: ${uri ?? ''}`);
  }
}

function sumOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

function bare(eTag: string | undefined): string {
  return (eTag ?? '').replaceAll('"', '');
}
