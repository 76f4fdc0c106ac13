import type { Instant } from '../core/clock.ts';
import { DispatchError } from '../core/errors.ts';
import { runIdFor } from '../core/ids.ts';
import { isRecord } from '../core/json.ts';
import type { RunRequest } from '../trigger/request.ts';
import { layersFor, type Deployment } from './deployment.ts';
import { inspectJar } from './inspect.ts';
import type { Jar, ResolvedJob } from './job.ts';
import { checkJarUri, parseJarUri, type JarOrigin } from './jar-uri.ts';
import { mergeLayers } from './layers.ts';
import { parseManifestOrSpec } from './manifest.ts';
import { isJobName, nameFromKey } from './name.ts';
import type { ObjectStore } from './objects.ts';
import { checkPolicy } from './policy.ts';
import { withSlotLimit } from './policy-resources.ts';
import { checkProgram } from './program.ts';
import { resolveJob } from './resolve.ts';
import { sessionNotes } from './session.ts';
import type { JobSpec } from './spec.ts';
import type { StoredJobs } from './stored-jobs.ts';
import { fillPlaceholders, placeholderContext } from './template.ts';
import { findUploadSpec } from './upload-spec.ts';
import { checkUrlEnd } from './url-end.ts';

export interface PrepareDeps {
  readonly objects: ObjectStore;
  readonly storedJobs: StoredJobs;
  readonly deployment: Deployment;
}

/**
 * Makes a job out of a request: finds its spec, applies the layers, checks the deployment's allow-list, and looks into
 * the jar where it lies in S3.
 * @throws DispatchError of class `user` when the request is at fault and would be again; a retryable one when storage is.
 */
export async function prepareRun(
  request: RunRequest,
  deps: PrepareDeps,
  now: Instant,
): Promise<{ readonly job: ResolvedJob }> {
  const { deployment } = deps;
  const found = await findSpecs(request, deps);
  const layers = layersFor(deployment, { user: found.specs, source: request.source, storedJob: found.storedJob });
  const merged = withUploadedJar(mergeLayers([...layers.trusted, ...layers.user]), request);
  const context = placeholderContext(request.source, runIdFor(request.identity), now, found.timeZone);
  const spec = fillPlaceholders(merged, context);
  const own = fillPlaceholders(mergeLayers(layers.trusted), context);
  const origin = jarOrigin(request, own);
  const jar = withSum(parseJarUri(spec.job?.jarURI), spec.job?.jarSha256);
  checkJarUri(jar, deployment.allow, origin);
  checkUrlEnd(jar.uri, now);
  const draft = resolveJob(spec, { jar, name: nameFor(spec, request, found.storedJob), deployment });
  if (draft.session === undefined) requireImage(draft);
  checkProgram(draft);
  const refusal = checkPolicy({ job: draft, userSpecs: layers.user }, deployment.allow, { spec: own, deployment })[0];
  if (refusal !== undefined) throw refusal;
  const inspected = await inspectJar(pinned(jar, request), deps.objects, spec.job?.entryClass);
  const notes = [...(draft.notes ?? []), ...sessionNotes(draft, layers.user)];
  return {
    job: {
      ...draft,
      options: withSlotLimit(draft.options, deployment.allow),
      ...inspected,
      ...(notes.length > 0 && { notes }),
    },
  };
}

/** A name for a request that was refused before its spec could be read; always valid. */
export function fallbackName(request: RunRequest): string {
  const { source, spec, job } = request;
  const named = isRecord(spec) ? (isRecord(spec['metadata']) ? spec['metadata']['name'] : spec['name']) : undefined;
  if (typeof named === 'string' && isJobName(named)) return named;
  return nameFromKey(source.kind === 'jar-upload' ? source.key : (job ?? ''));
}

interface FoundSpecs {
  /** Lowest first. */
  readonly specs: readonly JobSpec[];
  readonly storedJob?: string;
  readonly timeZone?: string;
}

async function findSpecs(request: RunRequest, deps: PrepareDeps): Promise<FoundSpecs> {
  const upload = request.source.kind === 'jar-upload' ? await findUploadSpec(deps.objects, request.source) : undefined;
  const storedJob = request.job ?? upload?.storedJob;
  const stored = storedJob === undefined ? [] : [parseManifestOrSpec(await deps.storedJobs.load(storedJob))];
  const top = request.spec === undefined ? [] : [parseManifestOrSpec(request.spec)];
  return {
    specs: [...stored, ...(upload?.spec === undefined ? [] : [upload.spec]), ...top],
    ...(storedJob === undefined ? {} : { storedJob }),
    ...(request.source.kind === 'schedule' && request.source.timeZone !== undefined
      ? { timeZone: request.source.timeZone }
      : {}),
  };
}

function requireImage({ options }: ResolvedJob): void {
  if (options['kubernetes.container.image.ref'] !== undefined) return;
  throw new DispatchError('InvalidSpec', 'image is missing, and the deployment has no default for it', {
    field: 'image',
  });
}

/** The jar that was uploaded is the one that runs: a spec beside it that names another contradicts it. */
function withUploadedJar(spec: JobSpec, request: RunRequest): JobSpec {
  const { source } = request;
  if (source.kind !== 'jar-upload') return spec;
  const uploaded = `s3://${source.bucket}/${source.key}`;
  const named = spec.job?.jarURI;
  if (named !== undefined && named !== uploaded) {
    throw new DispatchError('InvalidSpec', `job.jarURI must be left out beside an uploaded jar: it names ${named}`, {
      field: 'job.jarURI',
    });
  }
  return { ...spec, job: { ...spec.job, jarURI: uploaded } };
}

function jarOrigin(request: RunRequest, trusted: JobSpec): JarOrigin {
  if (request.source.kind === 'jar-upload') return { kind: 'upload' };
  return { kind: 'spec', trustedUri: trusted.job?.jarURI };
}

function nameFor(spec: JobSpec, request: RunRequest, storedJob: string | undefined): string {
  if (spec.name !== undefined) return spec.name;
  if (request.source.kind === 'jar-upload') return nameFromKey(request.source.key);
  return nameFromKey(storedJob ?? spec.job?.jarURI ?? '');
}

/** @throws DispatchError `InvalidSpec` for a jar of which nobody here sees the bytes */
function withSum(jar: Jar, sha256: string | undefined): Jar {
  if (sha256 === undefined) return jar;
  if (!jar.uri.startsWith('local:')) return { ...jar, sha256 };
  throw new DispatchError('InvalidSpec', 'job.jarSha256 cannot be checked for a jar of the image', {
    field: 'job.jarSha256',
  });
}

/** An upload's event says which content it means. */
function pinned(jar: Jar, request: RunRequest): Jar {
  const { source } = request;
  if (source.kind !== 'jar-upload' || jar.s3 === undefined) return jar;
  const { versionId, eTag } = source;
  return {
    ...jar,
    s3: { ...jar.s3, ...(versionId === undefined ? {} : { versionId }), ...(eTag === undefined ? {} : { eTag }) },
  };
}
