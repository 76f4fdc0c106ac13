import { open, readdir, type FileHandle } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { dataStart, expand, findEnd, findInDirectory, type DirectoryEntry } from '../../../../lib/job/jar/zip.ts';
import { UsageError } from '../flags/usage.ts';
import type { Io } from '../terminal/io.ts';

/** Flink's web UI, as a flink-dist or flink-runtime-web jar has it. */
export interface WebFiles {
  readonly jar: string;
  /** By its path below the UI's folder; undefined for what is not there. */
  read(path: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

const FOLDER = 'web/';
const HOW =
  'name a Flink distribution or its flink-dist jar: --flink /opt/flink; from an image: docker cp "$(docker create flink:2.3.0)":/opt/flink/lib .';

/**
 * The UI of what `--flink` names, else of FLINK_HOME, else of a distribution that the demo has downloaded, of the job's own
 * version where there is one.
 * @throws UsageError when there is none
 */
export async function findWebFiles(
  { env }: Pick<Io, 'env'>,
  { given, version }: { readonly given: string | undefined; readonly version: string | undefined },
): Promise<WebFiles> {
  if (given !== undefined) return openJar(await jarIn(given, `--flink ${given}`));
  const home = env['FLINK_HOME'];
  if (home !== undefined && home !== '') return openJar(await jarIn(home, `FLINK_HOME ${home}`));
  const cache = join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache'), 'flink-dispatch', 'flink');
  const found = (await readdir(cache).catch(() => [])).filter((name) => /^\d/.test(name)).sort();
  const chosen = found.find((name) => version !== undefined && name.startsWith(version)) ?? found.at(-1);
  if (chosen === undefined) throw new UsageError(`Flink's web UI is not on this machine: ${HOW}`);
  return openJar(await jarIn(join(cache, chosen), chosen));
}

async function jarIn(path: string, what: string): Promise<string> {
  if (path.endsWith('.jar')) return path;
  for (const folder of [join(path, 'lib'), path]) {
    const names = await readdir(folder).catch(() => []);
    const jar = names.find((name) => /^flink-(?:dist|runtime-web).*\.jar$/.test(name));
    if (jar !== undefined) return join(folder, jar);
  }
  throw new UsageError(`${what}: holds no flink-dist jar; ${HOW}`);
}

async function openJar(jar: string): Promise<WebFiles> {
  const file = await open(jar).catch(() => {
    throw new UsageError(`${jar} cannot be read; ${HOW}`);
  });
  const readAt = async (offset: number, length: number): Promise<Uint8Array> => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  };
  const entries = await entriesOf(file, jar, readAt).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  return {
    jar,
    async read(path) {
      const entry = entries.get(FOLDER + path);
      if (entry === undefined) return undefined;
      const { offset, compressedSize, method } = entry;
      // A local header is 30 bytes, a name and what tools add to it.
      const local = await readAt(offset, 30 + 2 * 65_535 + compressedSize);
      const start = dataStart(local);
      return start === undefined ? undefined : expand(local.subarray(start, start + compressedSize), method);
    },
    close: () => file.close(),
  };
}

async function entriesOf(
  file: FileHandle,
  jar: string,
  readAt: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<ReadonlyMap<string, DirectoryEntry>> {
  const { size } = await file.stat();
  const end = await findEnd(readAt, size);
  if (end === undefined) throw new UsageError(`${jar} is no jar`);
  const directory = await readAt(end.directoryOffset, end.directorySize);
  const prefix = Buffer.from(FOLDER);
  const found = findInDirectory(directory, end.prefix, (name) => prefix.equals(name.subarray(0, prefix.length)));
  const entries = new Map(found.map((entry) => [entry.name, entry]));
  if (!entries.has(`${FOLDER}index.html`)) throw new UsageError(`${jar} has no web UI; ${HOW}`);
  return entries;
}
