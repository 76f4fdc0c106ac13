import type { Instant } from '../../core/clock.ts';
import type { DeploymentId, RunId } from '../../core/ids.ts';
import type { Versioned } from '../../run/store/ledger.ts';
import type { DeploymentRecord, DeploymentRequest } from '../record.ts';

/** The marker of a deployment that something may still become of. */
export interface LiveDeployment {
  readonly id: DeploymentId;
  readonly markedAt: Instant;
  /** Of the marker, opaque: marking the deployment again makes another one. */
  readonly version: string;
}

export interface UploadKey {
  readonly bucket: string;
  readonly key: string;
}

/**
 * Records of deployments, each changed only by who last read it, and the requests that made their generations, written
 * once. Methods throw DispatchError `StorageUnavailable` when the answer is lost: a re-read tells.
 */
export interface Deployments {
  read(id: DeploymentId): Promise<Versioned<DeploymentRecord> | undefined>;
  /** `undefined`: one is there; read it. */
  create(record: DeploymentRecord): Promise<Versioned<DeploymentRecord> | undefined>;
  /** `undefined`: the record changed since it was read; read again. */
  replace(record: DeploymentRecord, version: string): Promise<Versioned<DeploymentRecord> | undefined>;
  /** `exists`: the request was here before, and this is what it was. */
  keepRequest(
    request: DeploymentRequest,
  ): Promise<{ readonly kind: 'created' | 'exists'; readonly request: DeploymentRequest }>;
  readRequest(id: DeploymentId, requestId: RunId): Promise<DeploymentRequest | undefined>;
  /** Whose the uploads of a key are, if anybody's. */
  uploadsOf(upload: UploadKey): Promise<DeploymentId | undefined>;
  /**
   * Whose the uploads of a key are: this deployment's, unless another one has them. `over`: the version of that other one's
   * word, the place of which is taken.
   */
  claimUploads(upload: UploadKey, id: DeploymentId, over?: string): Promise<Versioned<DeploymentId>>;
  /** Before a record is created, or changed by somebody who wants something of it. */
  mark(id: DeploymentId): Promise<void>;
  /** In the order of their ids, at most `limit` after the id `after`. */
  list(page: { readonly after?: DeploymentId; readonly limit: number }): Promise<readonly LiveDeployment[]>;
  /** Takes the marker away, unless the deployment was marked anew since it was listed. */
  forget(marker: LiveDeployment): Promise<void>;
}
