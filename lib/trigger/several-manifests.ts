import { DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';

/** Each is a run, and a message is accepted in the time of one function. */
const MOST = 20;
const KINDS = ['FlinkDeployment', 'FlinkSessionJob'];

export interface NamedManifest {
  /** By which it is told from the others. */
  readonly name: string;
  readonly manifest: Record<string, unknown>;
}

/**
 * The jobs of a file with several of the operator's manifests. A session cluster is passed over where jobs for it are beside it:
 * a pool of that name takes its place, or a session that stands.
 * @throws DispatchError `MalformedRequest` for all of them, so that what is sent again starts none twice
 */
export function jobsAmong(documents: readonly Record<string, unknown>[]): readonly NamedManifest[] {
  if (documents.length > MOST) throw malformed(documents, `of which ${MOST} can come together`);
  const stranger = documents.findIndex(({ kind }) => !KINDS.some((known) => known === kind));
  if (stranger >= 0) {
    const kind = documents[stranger]?.['kind'];
    const what = typeof kind === 'string' ? `a ${kind}` : 'no manifest';
    throw malformed(documents, `and number ${stranger + 1} is ${what}: only ${KINDS.join('s and ')}s come together`);
  }
  const sessions = new Set(documents.map((one) => specOf(one)['deploymentName']));
  const jobs = documents
    .map((manifest) => ({ name: nameOf(manifest), manifest }))
    .filter(({ name, manifest }) => !isSession(manifest) || !sessions.has(name));
  const names = new Set(jobs.map(({ name }) => name));
  if (names.size < jobs.length) throw malformed(documents, 'which need a metadata.name of their own each');
  return jobs;
}

function isSession(manifest: Record<string, unknown>): boolean {
  return manifest['kind'] === 'FlinkDeployment' && isRecord(manifest['spec']) && specOf(manifest)['job'] === undefined;
}

function specOf({ spec }: Record<string, unknown>): Record<string, unknown> {
  return isRecord(spec) ? spec : {};
}

function nameOf({ metadata }: Record<string, unknown>): string {
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  return typeof name === 'string' ? name : '';
}

function malformed(documents: readonly unknown[], what: string): DispatchError {
  return new DispatchError('MalformedRequest', `the message holds ${documents.length} YAML documents, ${what}`);
}
