import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { DispatchError, isDispatchError } from '../core/errors.ts';
import { runIdFor } from '../core/ids.ts';
import { isRecord } from '../core/json.ts';
import { tickOf, type RunRequest } from '../trigger/request.ts';
import type { DispatchConfig } from './config/dispatch-config.ts';
import { layersFor } from './config/layers.ts';
import { deploymentOf, isOthersObject } from './config/tenants.ts';
import { inspectJar } from './jar/inspect.ts';
import type { Jar, JobKind, ResolvedJob } from './job.ts';
import { checkJarUri, parseJarUri, type JarOrigin } from './jar/jar-uri.ts';
import { checkBucket, namedArtifacts, s3Object, s3Objects, type NamedObject } from './jar/named-objects.ts';
import { mergeLayers } from './spec/layers.ts';
import { parseManifestOrSpec } from './spec/manifest.ts';
import { isJobName, nameFromKey } from './spec/name.ts';
import type { ObjectStore } from './jar/objects.ts';
import { checkMemoryRetry } from './memory-remedy.ts';
import { judgeJob, type JudgeInput } from './judge/judge.ts';
import { checkPolicy, notAllowed } from './policy/policy.ts';
import { checkAutoscale } from './autoscale.ts';
import { withSlotLimit } from './policy/policy-resources.ts';
import { checkProgram, programPath } from './jar/program.ts';
import { resolveJob } from './resolve.ts';
import { sessionNotes } from './session.ts';
import { withoutRestorePath, wishOf, type DeploymentWish, type TakenFor } from './state-plan.ts';
import type { JobSpec } from './spec/spec.ts';
import type { StoredJobs } from './spec/stored-jobs.ts';
import { fillPlaceholders, placeholderContext } from './spec/template.ts';
import { findUploadSpec } from './spec/upload-spec.ts';
import { checkUrlEnd } from './jar/url-expiry.ts';

export interface PrepareDeps {
  readonly objects: ObjectStore;
  readonly storedJobs: StoredJobs;
  readonly deployment: DispatchConfig;
}

export interface Prepared {
  readonly job: ResolvedJob;
  /** Of a job with `state`, and of no other. */
  readonly wish?: DeploymentWish;
  /** What its spec says of it. */
  readonly kind?: JobKind;
}

/**
 * Makes a job out of a request: finds its spec, applies the layers, judges what would be made of it by the deployment's
 * allow-list, and looks into the jar where it lies in S3.
 * @throws DispatchError of class `user` when the request is at fault and would be again; a retryable one when storage is.
 */
export async function prepareRun(
  request: RunRequest,
  deps: PrepareDeps,
  now: Instant,
  takenFor?: TakenFor,
): Promise<Prepared> {
  const deployment = deploymentOf(request, deps.deployment);
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
  const resolved = resolveJob(spec, { jar, name: nameFor(spec, request, found.storedJob), deployment, takenFor });
  const draft = { ...resolved, options: withSlotLimit(resolved.options, deployment.allow) };
  checkAutoscale(draft);
  if (draft.mode !== 'session') requireImage(draft);
  checkProgram(draft);
  checkAllowed({ job: draft, userSpecs: layers.user, trusted: own, deployment });
  checkMemoryRetry({ job: draft, userSpecs: layers.user, trusted: own, deployment });
  checkObjects(draft, own, { request, deps, deployment });
  const { note, ...inspected } = await inspectJar(pinned(jar, request), deps.objects, spec.job?.entryClass);
  const notes = [...(draft.notes ?? []), ...sessionNotes(draft, layers.user), ...(note === undefined ? [] : [note])];
  const job = { ...draft, ...inspected, ...(notes.length > 0 && { notes }) };
  const said = defined({ kind: spec.job?.kind });
  if (draft.state === undefined) return { job, ...said };
  return { job: { ...job, options: withoutRestorePath(job.options) }, wish: wishOf(spec, job.options), ...said };
}

/** A job as it ran, and its image by its digest. */
export interface Exactly {
  readonly job: ResolvedJob;
  readonly image: string;
}

/**
 * Judges a job that a run had before by what is allowed now, and by the name that its image had.
 * @throws DispatchError as `prepareRun`
 */
export async function prepareAgain(
  request: RunRequest,
  { job, image }: Exactly,
  deps: PrepareDeps,
  now: Instant,
): Promise<Prepared> {
  const deployment = deploymentOf(request, deps.deployment);
  if (!Object.hasOwn(deployment.targets, job.target)) {
    const message = `target '${job.target}' is not configured any more`;
    throw new DispatchError('UnknownTarget', message, { field: 'target' });
  }
  const named = { name: job.name, target: job.target };
  const asked = { user: [named], source: request.source, storedJob: request.job };
  const { trusted } = layersFor(deployment, asked);
  const context = placeholderContext(request.source, runIdFor(request.identity), now);
  const own = fillPlaceholders(mergeLayers(trusted), context);
  checkJarUri(parseJarUri(job.jar.uri), deployment.allow, jarOrigin(request, own));
  checkAllowed({ job, userSpecs: [], trusted: own, deployment });
  checkMemoryRetry({ job, userSpecs: [], trusted: own, deployment });
  checkObjects(job, own, { request, deps, deployment });
  await inspectJar(keptCopy(job.jar), deps.objects, job.entryClass);
  return { job: { ...job, options: { ...job.options, 'kubernetes.container.image.ref': image } } };
}

/** Where a run's own bytes are: what lies where they came from may be another jar by now. */
export function keptCopy(jar: Jar): Jar {
  const { pinned } = jar;
  return pinned === undefined ? jar : { ...jar, s3: { bucket: pinned.bucket, key: pinned.key }, sha256: pinned.sha256 };
}

/** @throws DispatchError with all that is not allowed; as `judgeJob` for a job that Flink's client would refuse */
function checkAllowed(input: JudgeInput): void {
  const { job, userSpecs, trusted, deployment } = input;
  const refusals = checkPolicy({ job, userSpecs }, deployment.allow, { spec: trusted, deployment });
  const known = new Set(refusals.map(({ field }) => field));
  const found = judged(input, refusals.length > 0).filter(({ field }) => !known.has(field));
  const all = [...refusals, ...found.map(notAllowed)];
  const [first] = all;
  if (first === undefined) return;
  const problems = all.flatMap((one) => one.problems);
  throw new DispatchError(first.reason, first.message, { ...defined({ field: first.field }), problems });
}

/** What Flink would refuse as well says less than that it is not allowed. */
function judged(input: JudgeInput, isRefused: boolean): ReturnType<typeof judgeJob> {
  try {
    return judgeJob(input);
  } catch (error) {
    if (isRefused && isDispatchError(error)) return [];
    throw error;
  }
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
  const stored =
    storedJob === undefined ? [] : [parseManifestOrSpec(await deps.storedJobs.load(storedJob, request.tenant))];
  const top = request.spec === undefined ? [] : [parseManifestOrSpec(request.spec)];
  return {
    specs: [...stored, ...(upload?.spec === undefined ? [] : [upload.spec]), ...top],
    ...defined({ storedJob }),
    ...defined({ timeZone: tickOf(request.source)?.timeZone }),
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

interface Asked {
  readonly request: RunRequest;
  readonly deps: PrepareDeps;
  /** As the request's tenant sees it. */
  readonly deployment: DispatchConfig;
}

/** The jar and the dependencies that a request names, as far as the deployment does not: none is another tenant's. */
function checkObjects({ jar, options, target }: ResolvedJob, own: JobSpec, { request, deps, deployment }: Asked): void {
  const trusted = [own.job?.jarURI, ...namedArtifacts(own.flinkConfiguration ?? {}).map(({ uri }) => uri)];
  const isRead = deployment.targets[target]?.jarDelivery.kind === 'bundle';
  const uploaded: NamedObject[] = request.source.kind === 'jar-upload' ? [] : [{ field: 'job.jarURI', uri: jar.uri }];
  for (const named of [...uploaded, ...namedArtifacts(options)]) {
    if (trusted.includes(named.uri)) continue;
    const object = s3Object(named);
    if (isRead && object !== undefined) checkBucket(named, object, deployment.allow);
    const isOwn = s3Objects(named).every(
      (one) => !isOthersObject(one, request, deps.deployment) && deps.storedJobs.mayName(one, request.tenant),
    );
    if (isOwn) continue;
    throw notAllowed({
      field: named.field,
      message: `${named.uri} lies where another tenant's jars or the ledger's own objects are`,
    });
  }
}

function jarOrigin(request: RunRequest, trusted: JobSpec): JarOrigin {
  if (request.source.kind === 'jar-upload') return { kind: 'upload' };
  return { kind: 'spec', trustedUri: trusted.job?.jarURI };
}

function nameFor(spec: JobSpec, request: RunRequest, storedJob: string | undefined): string {
  if (spec.name !== undefined) return spec.name;
  if (request.source.kind === 'jar-upload') return nameFromKey(request.source.key);
  return nameFromKey(storedJob ?? programPath(spec.job?.jarURI ?? ''));
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
    s3: { ...jar.s3, ...defined({ versionId, eTag }) },
  };
}
