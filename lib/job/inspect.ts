import { DispatchError } from '../core/errors.ts';
import { entryClassOf } from './jar-manifest.ts';
import { readJar } from './jar.ts';
import type { Jar, ResolvedJob } from './job.ts';
import type { ObjectHead, ObjectRef, ObjectStore } from './objects.ts';
import { programKind } from './program.ts';

/**
 * Looks into a jar in S3 before any cluster is made: pins the content that is there, and finds its entry class when the
 * spec names none. A jar of the image or of a web server is for Flink to look into.
 * @throws DispatchError `JarNotFound`, `JarAccessDenied`, `JarUnreadable`, `EntryClassMissing`, `StorageUnavailable`
 */
export async function inspectJar(
  jar: Jar,
  objects: ObjectStore,
  entryClass: string | undefined,
): Promise<Pick<ResolvedJob, 'jar' | 'entryClass'>> {
  const { s3 } = jar;
  if (s3 === undefined) return { jar, ...(entryClass === undefined ? {} : { entryClass }) };
  if (programKind(jar.uri) !== 'jar') return { jar: pinTo(jar, s3, await objects.head(s3)) };
  const { head, attributes } = await readJar((range) => objects.read(s3, range), jar.uri);
  const found = entryClass ?? (attributes === undefined ? undefined : entryClassOf(attributes));
  if (found === undefined) {
    const what =
      attributes === undefined ? 'has no manifest' : 'names no Main-Class and no program-class in its manifest';
    throw new DispatchError('EntryClassMissing', `${jar.uri} ${what}, and job.entryClass is not set`, {
      field: 'job.entryClass',
    });
  }
  return { jar: pinTo(jar, s3, head), entryClass: found };
}

function pinTo(jar: Jar, { bucket, key, versionId: asked }: ObjectRef, head: ObjectHead): Jar {
  const versionId = head.versionId ?? asked;
  return { ...jar, s3: { bucket, key, eTag: head.eTag, ...(versionId === undefined ? {} : { versionId }) } };
}
