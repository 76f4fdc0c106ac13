import type { _Object } from '@aws-sdk/client-s3';
import { DispatchError } from '../../core/errors.ts';
import { isDeploymentId, sha256Hex, type DeploymentId, type RunId } from '../../core/ids.ts';
import { isRecord, jsonOf } from '../../core/json.ts';
import { listMarkers, markOf, putMarker, removeMarker } from '../../run/store/s3-markers.ts';
import { getText, putIf, type Bucket } from '../../run/store/s3-objects.ts';
import type { Versioned } from '../../run/store/ledger.ts';
import { parseDeployment, parseDeploymentRequest } from '../record-schema.ts';
import { deploymentKey, type DeploymentRecord, type DeploymentRequest } from '../record.ts';
import type { Deployments, LiveDeployment, UploadKey } from './deployments.ts';

const LIVE = 'live-deployments/';

/**
 * Deployments on S3: `deployments/<id>/record.json`, `deployments/<id>/requests/<request>.json`, a marker
 * `live-deployments/<id>` for the sweeper, and `deployments/uploads/<hash>.json`, which names the deployment of an upload's key.
 */
export function createS3Deployments(bucket: Bucket): Deployments {
  return {
    async read(id) {
      const stored = await getText(bucket, deploymentKey(id));
      return stored === undefined ? undefined : { value: parseDeployment(stored.text), version: stored.eTag };
    },
    create: (record) => write(bucket, record, 'absent'),
    replace: (record, version) => write(bucket, record, { eTag: version }),
    keepRequest: (request) => keepRequest(bucket, request),
    claimUploads: (upload, id, over) => claimUploads(bucket, upload, id, over),
    async uploadsOf(upload) {
      const stored = await getText(bucket, uploadsKey(upload));
      return stored === undefined ? undefined : ownerIn(stored.text, uploadsKey(upload));
    },
    readRequest: (id, requestId) => readRequest(bucket, id, requestId),
    mark: (id) => putMarker(bucket, LIVE + id),
    list: (page) => list(bucket, page),
    forget: ({ id, version }) => removeMarker(bucket, LIVE + id, version),
  };
}

async function write(
  bucket: Bucket,
  record: DeploymentRecord,
  condition: 'absent' | { readonly eTag: string },
): Promise<Versioned<DeploymentRecord> | undefined> {
  const version = await putIf(bucket, deploymentKey(record.id), JSON.stringify(record), condition);
  return version === undefined ? undefined : { value: record, version };
}

function requestKey(id: DeploymentId, requestId: RunId): string {
  return `deployments/${id}/requests/${requestId}.json`;
}

async function keepRequest(bucket: Bucket, request: DeploymentRequest): ReturnType<Deployments['keepRequest']> {
  const key = requestKey(request.deployment, request.requestId);
  for (;;) {
    if ((await putIf(bucket, key, JSON.stringify(request), 'absent')) !== undefined) {
      return { kind: 'created', request };
    }
    const known = await readRequest(bucket, request.deployment, request.requestId);
    if (known !== undefined) return { kind: 'exists', request: known };
  }
}

function uploadsKey({ bucket, key }: UploadKey): string {
  return `deployments/uploads/${sha256Hex(JSON.stringify([bucket, key]))}.json`;
}

async function claimUploads(
  bucket: Bucket,
  upload: UploadKey,
  id: DeploymentId,
  over: string | undefined,
): Promise<Versioned<DeploymentId>> {
  const key = uploadsKey(upload);
  const text = JSON.stringify({ version: 1, deployment: id, bucket: upload.bucket, key: upload.key });
  let condition: 'absent' | { readonly eTag: string } = over === undefined ? 'absent' : { eTag: over };
  for (;;) {
    const version = await putIf(bucket, key, text, condition);
    if (version !== undefined) return { value: id, version };
    const stored = await getText(bucket, key);
    if (stored !== undefined) return { value: ownerIn(stored.text, key), version: stored.eTag };
    condition = 'absent';
  }
}

/** @throws DispatchError `Internal` */
function ownerIn(text: string, key: string): DeploymentId {
  const value = jsonOf(text);
  const id = isRecord(value) ? value['deployment'] : undefined;
  if (typeof id === 'string' && isDeploymentId(id)) return id;
  throw new DispatchError('Internal', `${key} of the ledger names no deployment`, { field: 'deployment' });
}

async function readRequest(bucket: Bucket, id: DeploymentId, requestId: RunId): Promise<DeploymentRequest | undefined> {
  const stored = await getText(bucket, requestKey(id, requestId));
  return stored === undefined ? undefined : parseDeploymentRequest(stored.text);
}

async function list(
  bucket: Bucket,
  { after, limit }: { readonly after?: DeploymentId; readonly limit: number },
): Promise<readonly LiveDeployment[]> {
  const from = after === undefined ? undefined : LIVE + after;
  return (await listMarkers(bucket, LIVE, { after: from, limit })).flatMap(markerOf);
}

function markerOf(object: _Object): LiveDeployment[] {
  const id = object.Key?.slice(LIVE.length) ?? '';
  return isDeploymentId(id) ? [{ id, ...markOf(object) }] : [];
}
