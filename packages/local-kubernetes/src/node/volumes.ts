import type { V1KeyToPath, V1Volume } from '@kubernetes/client-node';
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { KubeObject, Pod } from '../objects.ts';
import { CONFIG_MAPS, SECRETS, type Resource } from '../resources.ts';
import type { Store } from '../store.ts';
import { fieldValue } from './environment.ts';
import type { PodPaths } from './pod-paths.ts';

/** What a pod waits for: it is tried again when the API changes. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

export interface MountOptions {
  readonly store: Store;
  readonly pod: Pod;
  readonly paths: PodPaths;
  /** Where persistent volume claims keep their files. */
  readonly claims: string;
  /** Rewrites the text of a ConfigMap's file for this pod. */
  readonly rewrite: (file: string, text: string) => string;
}

type Source = { name?: string | undefined; optional?: boolean; items?: V1KeyToPath[] };

function findSource(options: MountOptions, resource: Resource, volume: string, source: Source): KubeObject | undefined {
  const name = source.name ?? '';
  const found = options.store.find(resource, options.pod.metadata.namespace, name);
  if (found !== undefined || source.optional === true) return found;
  throw new MountError(`MountVolume.SetUp failed for volume "${volume}" : ${resource.singular} "${name}" not found`);
}

async function writeFiles(
  folder: string,
  files: Readonly<Record<string, Buffer | string>>,
  items?: V1KeyToPath[],
): Promise<void> {
  const chosen = items?.map(({ key, path }) => [path, files[key]] as const) ?? Object.entries(files);
  for (const [path, content] of chosen) {
    const target = join(folder, normalize(`/${path}`));
    if (content === undefined) throw new MountError(`references non-existent config key: ${path}`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
}

async function writeConfigMap(options: MountOptions, volume: string, source: Source, folder: string): Promise<void> {
  const map = findSource(options, CONFIG_MAPS, volume, source);
  const files: Record<string, Buffer | string> = {};
  for (const [file, text] of Object.entries(map?.data ?? {})) files[file] = options.rewrite(file, text);
  const binary = (map?.['binaryData'] ?? {}) as Record<string, string>;
  for (const [file, text] of Object.entries(binary)) files[file] = Buffer.from(text, 'base64');
  await writeFiles(folder, files, source.items);
}

async function writeSecret(options: MountOptions, volume: string, source: Source, folder: string): Promise<void> {
  const secret = findSource(options, SECRETS, volume, source);
  const files = Object.entries(secret?.data ?? {}).map(([file, text]) => [file, Buffer.from(text, 'base64')] as const);
  await writeFiles(folder, Object.fromEntries(files), source.items);
}

async function writeDownward(
  options: MountOptions,
  items: readonly { path: string; fieldRef?: { fieldPath: string } }[],
  folder: string,
): Promise<void> {
  const files = items.map(({ path, fieldRef }) => [path, fieldValue(options.pod, fieldRef?.fieldPath ?? '')] as const);
  await writeFiles(folder, Object.fromEntries(files));
}

/** Makes one volume's folder. @throws MountError */
async function setUp(options: MountOptions, volume: V1Volume): Promise<string> {
  const folder = options.paths.volume(volume.name);
  if (volume.hostPath !== undefined) return volume.hostPath.path;
  if (volume.persistentVolumeClaim !== undefined) {
    const claim = join(options.claims, options.pod.metadata.namespace ?? '', volume.persistentVolumeClaim.claimName);
    await mkdir(claim, { recursive: true });
    return claim;
  }
  await mkdir(folder, { recursive: true });
  if (volume.configMap !== undefined) await writeConfigMap(options, volume.name, volume.configMap, folder);
  const { secret } = volume;
  if (secret !== undefined) await writeSecret(options, volume.name, { ...secret, name: secret.secretName }, folder);
  if (volume.downwardAPI !== undefined) await writeDownward(options, volume.downwardAPI.items ?? [], folder);
  for (const source of volume.projected?.sources ?? []) {
    if (source.configMap !== undefined) await writeConfigMap(options, volume.name, source.configMap, folder);
    if (source.secret !== undefined) await writeSecret(options, volume.name, source.secret, folder);
    if (source.downwardAPI !== undefined) await writeDownward(options, source.downwardAPI.items ?? [], folder);
  }
  return folder;
}

/** Makes a pod's volumes and links them at their mount paths. @throws MountError while something is missing */
export async function mountVolumes(options: MountOptions): Promise<void> {
  const { spec } = options.pod;
  const folders = new Map<string, string>();
  for (const volume of spec.volumes ?? []) folders.set(volume.name, await setUp(options, volume));
  const mounts = [...(spec.initContainers ?? []), ...spec.containers].flatMap(
    (container) => container.volumeMounts ?? [],
  );
  const shortestFirst = [...new Map(mounts.map((mount) => [mount.mountPath, mount])).values()].sort(
    (a, b) => a.mountPath.length - b.mountPath.length,
  );
  for (const { name, mountPath, subPath } of shortestFirst) {
    const folder = folders.get(name);
    if (folder === undefined) continue;
    const source = subPath === undefined ? folder : join(folder, normalize(`/${subPath}`));
    // A part of a volume may be a file that an init container will have made.
    const comesLater = subPath !== undefined && (spec.initContainers ?? []).length > 0;
    await link(options, { volume: volumeOf(spec.volumes, name), source, comesLater }, mountPath);
  }
}

function volumeOf(volumes: readonly V1Volume[] | undefined, name: string): V1Volume | undefined {
  return volumes?.find((volume) => volume.name === name);
}

interface Linked {
  readonly volume: V1Volume | undefined;
  readonly source: string;
  readonly comesLater: boolean;
}

async function link(options: MountOptions, { volume, source, comesLater }: Linked, mountPath: string): Promise<void> {
  const target = options.paths.at(mountPath);
  const projected = volume?.configMap !== undefined || volume?.secret !== undefined;
  if (!existsSync(source) && !projected && !comesLater) await mkdir(source, { recursive: true });
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { recursive: true, force: true });
  // A copy of what is read-only anyway: scripts that write next to it find a real folder.
  if (projected && existsSync(source)) await cp(source, target, { recursive: true });
  else await symlink(source, target);
}
