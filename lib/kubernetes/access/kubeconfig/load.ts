import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseKubeconfig, type ClusterEntry, type ConfigFile, type ContextEntry, type UserEntry } from './file.ts';
import { invalid } from './invalid.ts';

/** All files together: the first that names an entry has it, whole; paths are absolute. */
export interface LoadedConfig {
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly users: ReadonlyMap<string, UserEntry>;
  readonly contexts: ReadonlyMap<string, ContextEntry>;
}

/**
 * As `clientcmd.ClientConfigLoadingRules`: a file of several that is not there is passed over.
 * @throws DispatchError `InvalidConfiguration`, also when none of the files is there
 */
export function loadFiles(files: readonly string[]): LoadedConfig {
  const missing: unknown[] = [];
  const found = [...new Set(files)].flatMap((file) => {
    const content = contentOf(file, missing);
    return content === undefined ? [] : [withPaths(parseKubeconfig(content, file), dirname(resolve(file)))];
  });
  if (found.length === 0 && missing.length > 0) throw invalid(`${files.join(', ')} cannot be read`, missing[0]);
  return together(found);
}

/** A kubeconfig that is no file; its relative paths begin at the working directory. */
export function loadText(text: string): LoadedConfig {
  return together([parseKubeconfig(text, 'the kubeconfig')]);
}

function contentOf(file: string, missing: unknown[]): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw invalid(`${file} cannot be read`, error);
    missing.push(error);
    return undefined;
  }
}

function together(files: readonly ConfigFile[]): LoadedConfig {
  // A map keeps the last of equal keys, and the first file has precedence.
  const backwards = files.toReversed();
  return {
    currentContext: files.map((file) => file['current-context'] ?? '').find((name) => name !== '') ?? '',
    clusters: new Map(backwards.flatMap(({ clusters }) => clusters.map(({ name, cluster }) => [name, cluster]))),
    users: new Map(backwards.flatMap(({ users }) => users.map(({ name, user }) => [name, user]))),
    contexts: new Map(backwards.flatMap(({ contexts }) => contexts.map(({ name, context }) => [name, context]))),
  };
}

/** Relative paths begin at the folder of their file; a command without a `/` is looked for in PATH. */
function withPaths(file: ConfigFile, folder: string): ConfigFile {
  const at = (path: string): string => (path === '' || isAbsolute(path) ? path : join(folder, path));
  const paths = <T extends object>(entry: T, keys: readonly (keyof T)[]): T => {
    const changed = keys.flatMap((key) => {
      const path = entry[key];
      return typeof path === 'string' ? [[key, at(path)]] : [];
    });
    return { ...entry, ...(Object.fromEntries(changed) as Partial<T>) };
  };
  const ofUser = (user: UserEntry): UserEntry => {
    const placed = paths(user, ['client-certificate', 'client-key', 'tokenFile']);
    const { exec } = user;
    return exec?.command?.includes('/') === true ? { ...placed, exec: paths(exec, ['command']) } : placed;
  };
  return {
    ...file,
    clusters: file.clusters.map(({ name, cluster }) => ({ name, cluster: paths(cluster, ['certificate-authority']) })),
    users: file.users.map(({ name, user }) => ({ name, user: ofUser(user) })),
  };
}
