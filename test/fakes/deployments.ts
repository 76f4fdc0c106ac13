import type { DeploymentId } from '../../lib/core/ids.ts';
import { parseDeployment, parseDeploymentRequest } from '../../lib/deployment/record-schema.ts';
import type { DeploymentRecord, DeploymentRequest } from '../../lib/deployment/record.ts';
import type { Deployments, LiveDeployment } from '../../lib/deployment/store/deployments.ts';
import type { Versioned } from '../../lib/run/store/ledger.ts';
import { Faults } from './faults.ts';

/** Keeps records and requests as JSON, so that nothing is shared and what JSON cannot carry shows. */
export class FakeDeployments implements Deployments {
  readonly faults = new Faults<keyof Deployments>();
  /** Every write that took effect, in order. */
  readonly writes: DeploymentRecord[] = [];
  private readonly stored = new Map<DeploymentId, { text: string; version: string }>();
  private readonly requests = new Map<string, string>();
  private readonly markers = new Map<DeploymentId, string>();
  private readonly uploads = new Map<string, Versioned<DeploymentId>>();
  private versions = 0;

  get records(): readonly DeploymentRecord[] {
    return [...this.stored.values()].map(({ text }) => parseDeployment(text));
  }

  read(id: DeploymentId): ReturnType<Deployments['read']> {
    return this.faults.around('read', () => {
      const known = this.stored.get(id);
      return known === undefined ? undefined : { value: parseDeployment(known.text), version: known.version };
    });
  }

  create(record: DeploymentRecord): ReturnType<Deployments['create']> {
    return this.faults.around('create', () => (this.stored.has(record.id) ? undefined : this.write(record)));
  }

  replace(record: DeploymentRecord, version: string): ReturnType<Deployments['replace']> {
    return this.faults.around('replace', () =>
      this.stored.get(record.id)?.version === version ? this.write(record) : undefined,
    );
  }

  keepRequest(request: DeploymentRequest): ReturnType<Deployments['keepRequest']> {
    return this.faults.around('keepRequest', () => {
      const key = `${request.deployment}/${request.requestId}`;
      const known = this.requests.get(key);
      if (known !== undefined) return { kind: 'exists' as const, request: parseDeploymentRequest(known) };
      this.requests.set(key, JSON.stringify(request));
      return { kind: 'created' as const, request };
    });
  }

  readRequest(...[id, requestId]: Parameters<Deployments['readRequest']>): ReturnType<Deployments['readRequest']> {
    return this.faults.around('readRequest', () => {
      const known = this.requests.get(`${id}/${requestId}`);
      return known === undefined ? undefined : parseDeploymentRequest(known);
    });
  }

  uploadsOf({ bucket, key }: Parameters<Deployments['uploadsOf']>[0]): ReturnType<Deployments['uploadsOf']> {
    return this.faults.around('uploadsOf', () => this.uploads.get(`${bucket}/${key}`)?.value);
  }

  claimUploads(
    ...[{ bucket, key }, id, over]: Parameters<Deployments['claimUploads']>
  ): ReturnType<Deployments['claimUploads']> {
    return this.faults.around('claimUploads', () => {
      const known = this.uploads.get(`${bucket}/${key}`);
      if (known !== undefined && known.version !== over) return known;
      this.versions += 1;
      const claimed = { value: id, version: String(this.versions) };
      this.uploads.set(`${bucket}/${key}`, claimed);
      return claimed;
    });
  }

  mark(id: DeploymentId): Promise<void> {
    return this.faults.around('mark', () => {
      this.versions += 1;
      this.markers.set(id, String(this.versions));
    });
  }

  list({ after = '' as DeploymentId, limit }: Parameters<Deployments['list']>[0]): ReturnType<Deployments['list']> {
    return this.faults.around('list', () => {
      const ids = [...this.markers.keys()].sort().filter((id) => id > after);
      return ids.slice(0, limit).map((id) => ({ id, markedAt: 0, version: this.markers.get(id) ?? '' }));
    });
  }

  forget({ id, version }: LiveDeployment): Promise<void> {
    return this.faults.around('forget', () => {
      if (this.markers.get(id) === version) this.markers.delete(id);
    });
  }

  private write(record: DeploymentRecord): Versioned<DeploymentRecord> {
    this.versions += 1;
    const version = `"${this.versions}"`;
    this.stored.set(record.id, { text: JSON.stringify(record), version });
    this.writes.push(record);
    return { value: record, version };
  }
}
