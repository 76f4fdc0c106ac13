import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import { entryClassOf } from './jar-manifest.ts';
import { readJar, type JarFacts } from './jar.ts';
import type { Jar, ResolvedJob } from '../job.ts';
import type { ObjectHead, ObjectRef, ObjectStore } from './objects.ts';
import { programKind } from './program.ts';

/** What a look into a jar tells. */
export interface Inspected extends Pick<ResolvedJob, 'jar' | 'entryClass'> {
  /** What its author may not know. */
  readonly note?: string;
}

/**
 * Looks into a jar in S3 before any cluster is made: pins the content that is there, and finds its entry class when the
 * spec names none. A jar of the image or of a web server is for Flink to look into.
 * @throws DispatchError `JarNotFound`, `JarAccessDenied`, `JarUnreadable`, `EntryClassMissing`, `StorageUnavailable`
 */
export async function inspectJar(jar: Jar, objects: ObjectStore, entryClass: string | undefined): Promise<Inspected> {
  const { s3 } = jar;
  if (s3 === undefined) return { jar, ...defined({ entryClass }) };
  if (programKind(jar.uri) !== 'jar') return { jar: pinTo(jar, s3, await objects.head(s3)) };
  const facts = await readJar((range) => objects.read(s3, range), jar.uri);
  const { head, attributes } = facts;
  const inManifest = attributes === undefined ? undefined : entryClassOf(attributes);
  const found = entryClass ?? inManifest;
  const others = otherManifests(facts, inManifest);
  if (found === undefined) {
    const what =
      attributes === undefined ? 'has no manifest' : 'names no Main-Class and no program-class in its manifest';
    const more = others === undefined ? '' : ` (${others})`;
    throw new DispatchError('EntryClassMissing', `${jar.uri} ${what}${more}, and job.entryClass is not set`, {
      field: 'job.entryClass',
    });
  }
  const note = entryClass === undefined && others !== undefined ? `job.jarURI: ${others}` : undefined;
  return { jar: pinTo(jar, s3, head), entryClass: found, ...defined({ note }) };
}

/** A jar of several manifests: a tool packed those of its libraries, too, and Java reads the last one alone. */
function otherManifests({ unread }: JarFacts, counts: string | undefined): string | undefined {
  if (unread.length === 0) return undefined;
  const named = unread.flatMap((attributes) => entryClassOf(attributes) ?? []);
  const passed = named.length === 0 ? '' : `, not ${[...new Set(named)].join(' or ')} of those before`;
  const which = counts === undefined ? 'which names no class' : `which names ${counts}`;
  return `the jar has ${unread.length + 1} manifests, and Java reads the last one, ${which}${passed}`;
}

function pinTo(jar: Jar, { bucket, key, versionId: asked }: ObjectRef, head: ObjectHead): Jar {
  const versionId = head.versionId ?? asked;
  return { ...jar, s3: { bucket, key, eTag: head.eTag, ...defined({ versionId }) } };
}
