import { S3Client } from '@aws-sdk/client-s3';
import type { DeploymentRecord, KeptSnapshot } from '../../../../../lib/deployment/record.ts';
import { pathStyle } from '../../../../../lib/http/path-style.ts';
import type { OperatorContent, SnapshotContent } from '../../../../../lib/state/metadata/read-metadata.ts';
import { s3StateStorages } from '../../../../../lib/state/s3-state-storage.ts';
import type { Snapshot } from '../../../../../lib/state/snapshot.ts';
import { has, type Execute } from '../../command.ts';
import { openDeployments } from '../../deployment-ledger.ts';
import { UsageError } from '../../flags/usage.ts';
import { harmless, printJson, table, type Io } from '../../terminal/io.ts';
import { keptSnapshot, noSuchSnapshot } from './kept-snapshot.ts';

/** The snapshots that are kept: what each is, who took it, and what was restored from it; or what is in one of them. */
export const history: Execute = async (io, parsed) => {
  const [name, which, ...more] = parsed.args;
  if (name === undefined || more.length > 0) throw new UsageError('deployments history <deployment> [snapshot]');
  const record = await (await openDeployments(io, parsed)).find(name);
  if (which !== undefined) return showContent(io, snapshotIn(record, which), has(parsed, 'json'));
  const { snapshots } = record;
  if (has(parsed, 'json')) printJson(io, snapshots);
  else if (snapshots.length === 0) io.err('no snapshot yet\n');
  else {
    const head = ['SNAPSHOT', 'KIND', 'COMPLETE', 'BYTES', 'FOR', 'GENERATION', 'RUN', 'RESTORED BY', 'PATH'];
    io.out(harmless(table([head, ...snapshots.map(snapshotRow)])));
  }
  return 0;
};

function snapshotIn(record: DeploymentRecord, which: string): Snapshot {
  const { newest } = record;
  const found = keptSnapshot(record, which)?.snapshot ?? (newest?.path === which ? newest : undefined);
  if (found === undefined) throw noSuchSnapshot(record, which);
  return found;
}

/** As its `_metadata` has it, which is read with the rights of whoever asks. */
async function showContent(io: Io, { kind, path }: Snapshot, isJson: boolean): Promise<number> {
  const s3 = new S3Client(pathStyle(io.env));
  const content = await s3StateStorages({ s3, allowed: [path] })(path).content(path);
  if (content === undefined) throw new UsageError(`there is no complete ${kind} at ${path} any more`);
  if (isJson) printJson(io, { path, ...content });
  else io.out(harmless(described(kind, path, content)));
  return 0;
}

function described(kind: string, path: string, { version, checkpointId, operators }: SnapshotContent): string {
  const head = ['OPERATOR', 'UID', 'NAME', 'PARALLELISM', 'KEY GROUPS', 'BYTES'];
  const rows = [...operators].sort((a, b) => b.bytes - a.bytes).map(operatorRow);
  return `${kind} ${path}\ncheckpoint ${checkpointId}, metadata of version ${version}\n${table([head, ...rows])}`;
}

function operatorRow({ id, uid, name, parallelism, maxParallelism, bytes, hasState }: OperatorContent): string[] {
  return [id, uid ?? '-', name ?? '-', String(parallelism), String(maxParallelism), hasState ? String(bytes) : '-'];
}

function snapshotRow({ ordinal, snapshot, at, why, generation, restoredBy, ...kept }: KeptSnapshot): string[] {
  const { kind, format, bytes, run, path } = snapshot;
  return [
    String(ordinal),
    format === undefined ? kind : `${kind} ${format.toLowerCase()}`,
    new Date(snapshot.at ?? at).toISOString(),
    bytes === undefined ? '-' : String(bytes),
    `${why}${fateOf(kept)}`,
    String(generation),
    run ?? '-',
    restoredBy ?? '-',
    path,
  ];
}

function fateOf({ pinned, deletingAt }: Pick<KeptSnapshot, 'pinned' | 'deletingAt'>): string {
  if (deletingAt !== undefined) return ' (being deleted)';
  return pinned === true ? ' (pinned)' : '';
}
