import { defined } from '../../lib/core/defined.ts';
import { archiveId } from '../../lib/delivery/classes/archive.ts';
import { parseDispatchConfig, type DispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import type { Draws } from './draws.ts';
import { POOLS, THEIRS } from './sessions/session-workload.ts';
import { holderIn } from './locks/invariants.ts';
import { leaseIn } from './record-invariants.ts';
import type { Put } from './servers/s3.ts';
import type { World } from './world.ts';

/** What a wish's tenant has of its own; absent in a world without tenants. */
export type TenantName = 'alpha' | 'beta';

const TENANTS: readonly TenantName[] = ['alpha', 'beta'];
export const QUEUES = 'arn:aws:sqs:eu-central-1:111122223333:';
export const NAMESPACES = ['flink', 'beta'] as const;

const ALLOW = JSON.stringify({
  images: ['flink:*'],
  serviceAccounts: ['flink'],
  jarBuckets: ['jars'],
  jarUriSchemes: ['local', 's3'],
  sessions: [THEIRS],
  options: { allow: ['*'] },
  taskTokens: true,
});
const DEPLOYMENT = `
targets:
  default:
    { namespace: flink, namespaces: [beta], access: { kind: in-cluster }, jarDelivery: { kind: fetch, urlTtl: 1m } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
sessions:${POOLS}
`;
/** Pools of another plan have other names: objects of this world have no namespace in theirs. */
const TWO = `
tenants:
  alpha:
    sources: [{ queue: '${QUEUES}jobs' }, { bucket: jars, prefix: jars/ }, { scheduleGroup: alpha }]
    targets: { default: [flink] }
    allow: ${ALLOW}
  beta:
    sources: [{ queue: '${QUEUES}jobs-beta' }, { bucket: jars, prefix: beta/ }, { scheduleGroup: beta }]
    targets: { default: [beta] }
    defaults: { flinkConfiguration: { web.refresh-interval: '1000' } }
    allow: ${ALLOW}
`;

const ONE_TENANT = parseDispatchConfig(`${DEPLOYMENT}allow: ${ALLOW}\n`);
const TWO_TENANTS = parseDispatchConfig(DEPLOYMENT + TWO);

export function deploymentOf(world: World): DispatchConfig {
  if (world.deployment !== undefined) return world.deployment;
  return world.workload.wishes.some(({ tenant }) => tenant !== undefined) ? TWO_TENANTS : ONE_TENANT;
}

export function tenantOf(draws: Draws, name: string): TenantName | undefined {
  if (!draws.chance('two tenants', 0.4)) return undefined;
  return draws.chance(`${name} is of beta`, 0.5) ? 'beta' : 'alpha';
}

/** Where a tenant's uploads are. */
export function folderOf(tenant: TenantName | undefined): string {
  return tenant === 'beta' ? 'beta/' : 'jars/';
}

export function jobsFolderOf(tenant: TenantName | undefined): string {
  return tenant === undefined ? 'jobs/' : `jobs/${tenant}/`;
}

const OWN_FOLDER = /^(?:locks|live)\/(?:([a-z]+)\/)?([0-9a-f]+)(?:\.json|~.*)?$/;

/** Of the archive that was recorded in the image of whoever it is: 64 hex digits. */
function sumOf(tenant: string | undefined): string {
  return (tenant === undefined ? '0' : tenant === 'alpha' ? 'a' : 'b').repeat(64);
}

/** The class archives of all that may ask for one. */
export function archivesIn(bucket: string): readonly (readonly [string, string])[] {
  return [undefined, ...TENANTS].map((tenant) => {
    const scope = { target: 'default', image: 'flink:2.3.0', ...defined({ tenant }) };
    const sha256 = sumOf(tenant);
    const kept = { bucket, key: `jars/sha256/${sha256}/classes.jar`, sha256, size: 1 };
    const archive = { ...kept, classPath: sha256, java: '17.0.15' };
    return [`${bucket}/jars/archives/${archiveId(scope)}.json`, JSON.stringify(archive)] as const;
  });
}

/** No run of one tenant waits on, cancels or joins a run of another, or has anything of it. */
export class TenantInvariants {
  private readonly world: World;
  private readonly records = new Map<string, RunRecord>();

  constructor(world: World) {
    this.world = world;
    const { onPut } = world.s3;
    world.s3.onPut = (put) => {
      onPut(put);
      this.onPut(put);
    };
  }

  private onPut({ key, text }: Put): void {
    const { invariants } = this.world;
    const record = invariants.recordOf({ key, text });
    if (record !== undefined) this.onRecord(record);
    if (key.startsWith('sessions/')) invariants.read(key, () => this.onLease(key, leaseIn(text)));
    const [, folder, id = ''] = OWN_FOLDER.exec(key) ?? [];
    const run = this.records.get(id);
    if (run !== undefined) this.check('a marker is its tenant’s', folder === run.tenant, () => key);
    if (key.startsWith('locks/')) invariants.read(key, () => this.onLock(folder, key, holderIn(text)));
    const [, place, waiting] = /^lock-queues\/(?:([a-z]+)\/)?[0-9a-f]{64}\/\d+~([0-9a-f]{20})$/.exec(key) ?? [];
    this.onLock(place, key, waiting);
  }

  private onRecord(record: RunRecord): void {
    this.records.set(record.runId, record);
    const { name, tenant, waiting, cancelRequested, job } = record;
    const wish = this.world.wishes.find((one) => one.name === name);
    const isTheirs = wish === undefined || wish.tenant === tenant;
    this.check('a run is its source’s tenant’s', isTheirs, () => `${name}: ${tenant ?? 'none'}`);
    const wanted = tenant === 'beta' ? 'beta' : 'flink';
    const place = job?.namespace ?? wanted;
    this.check('a run is in its tenant’s namespace', place === wanted, () => `${name}: ${place}`);
    const sums = record.attempts.flatMap(({ fastStart }) => fastStart?.archive?.sha256 ?? []);
    const isMapped = sums.every((sum) => sum === sumOf(tenant));
    this.check('a run starts on its own tenant’s class archive', isMapped, () => `${name}: ${sums.join(', ')}`);
    const met = [waiting?.message, cancelRequested?.by].flatMap(
      (text) => /run ([0-9a-f]{20})/.exec(text ?? '')?.[1] ?? [],
    );
    const [, queue] = /^a message to (.*)$/.exec(cancelRequested?.by ?? '') ?? [];
    const isOwn = queue === undefined || tenant === undefined || queue.endsWith('-beta') === (tenant === 'beta');
    this.check('a run takes no order of another tenant', isOwn, () => `${name}: ${queue ?? ''}`);
    for (const id of met) this.checkMet(`${name} waits on or is canceled by`, tenant, id);
  }

  private onLease(key: string, { runs }: ReturnType<typeof leaseIn>): void {
    const [, first] = /^sessions\/[^/]+\/([^/]+)\//.exec(key) ?? [];
    const tenants = TENANTS.filter((tenant) => Object.keys(runs).some((id) => this.records.get(id)?.tenant === tenant));
    this.check('a session is one tenant’s', tenants.length <= 1, () => `${key}: ${tenants.join(', ')}`);
    const [tenant] = tenants;
    const isIn = tenant === undefined || first === (tenant === 'beta' ? 'beta' : 'flink');
    this.check('a session is in its tenant’s namespace', isIn, () => `${key}: ${tenant ?? ''}`);
  }

  private onLock(folder: string | undefined, key: string, id: string | undefined): void {
    if (id !== undefined) this.checkMet(`the lock ${key} has`, folder, id);
  }

  private checkMet(who: string, tenant: string | undefined, id: string): void {
    const other = this.records.get(id);
    const same = other === undefined || other.tenant === tenant;
    this.check('no run meets a run of another tenant', same, () => `${who} ${other?.name ?? id}`);
  }

  private check(invariant: string, holds: boolean, detail: () => string): void {
    this.world.invariants.check(invariant, holds, detail);
  }
}
