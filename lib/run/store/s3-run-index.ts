import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { fromAwsError } from '../../core/aws-error.ts';
import { isRunId, type RunId } from '../../core/ids.ts';
import { mapConcurrent } from '../../core/map-concurrent.ts';
import type { Instant } from '../../core/clock.ts';
import type { RunRecord } from '../record.ts';
import { parseRow, ROW_STATES, rowOf, rowText, type RunRow } from '../row.ts';
import type { RowWish, RunIndex, RunList } from './run-index.ts';
import { createS3LiveRuns } from './s3-live-runs.ts';
import { pageOfMarkers, putEmpty, removeAll } from './s3-markers.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';

/*
 * The index on S3. `index/rows/<row>`: an empty object for each run that was closed lately. `index/older/<number>`: a sheet with
 * the rows of older ones, a line each; the highest number, which comes first, is the one that still takes rows.
 */
const RUNS = 'runs/';
const INDEX = 'index/';
const ROWS = `${INDEX}rows/`;
const SHEETS = `${INDEX}older/`;
const LAST_SHEET = 99_999_999;

export interface IndexSizes {
  /** So many rows of the newest runs stay objects of their own: a list without a filter reads no sheet. */
  readonly kept: number;
  /** With so many, those behind the newest are moved. */
  readonly foldAt: number;
  readonly sheet: number;
}

/** Rows are listed 1000 at a time: two requests have them all, and one or two more the sheets of 10,000 runs. */
const INDEX_SIZES: IndexSizes = { kept: 500, foldAt: 1500, sheet: 10_000 };
/** Listed in one pass of the sweeper; the next one goes on. */
const MOST_PAGES = 10;
const SHEETS_AT_ONCE = 8;

export function createS3RunIndex(bucket: Bucket, sizes: IndexSizes = INDEX_SIZES): RunIndex {
  return { keep: (run) => keepRow(bucket, run), fold: () => fold(bucket, sizes) };
}

export function keepRow(bucket: Bucket, run: RunRecord): Promise<void> {
  return putEmpty(bucket, ROWS + rowText(rowOf(run)));
}

interface Sheet {
  readonly number: number;
  readonly lines: readonly string[];
  /** Absent: it is not there yet. */
  readonly eTag?: string;
}

async function fold(bucket: Bucket, { kept, foldAt, sheet: room }: IndexSizes): Promise<number> {
  const { keys } = await keysBelow(bucket, ROWS, MOST_PAGES);
  if (keys.length < foldAt) return 0;
  const moved = keys.slice(kept);
  const { number, lines, eTag } = await openSheet(bucket, room);
  const all = [...new Set([...lines, ...moved.map(({ key }) => key.slice(ROWS.length))])];
  const written = await putIf(bucket, sheetKey(number), all.join('\n'), eTag === undefined ? 'absent' : { eTag });
  // Another sweeper was at it at the same time.
  if (written === undefined) return 0;
  await removeAll(
    bucket,
    moved.map(({ key }) => key),
  );
  return moved.length;
}

/** The last one while it has room, else a new one. */
async function openSheet(bucket: Bucket, room: number): Promise<Sheet> {
  const { objects } = await pageOfMarkers(bucket, SHEETS, { after: undefined, limit: 1 });
  const key = objects[0]?.Key;
  if (key === undefined) return { number: 0, lines: [] };
  const number = numberOf(key);
  const stored = await getText(bucket, key);
  const lines = stored?.text.split('\n') ?? [];
  return stored === undefined || lines.length >= room
    ? { number: number + 1, lines: [] }
    : { number, lines, eTag: stored.eTag };
}

function sheetKey(number: number): string {
  return `${SHEETS}${String(LAST_SHEET - number).padStart(8, '0')}`;
}

function numberOf(key: string): number {
  return LAST_SHEET - Number(key.slice(SHEETS.length));
}

interface Listed {
  readonly keys: readonly { readonly key: string; readonly modified: Instant }[];
  readonly hasMore: boolean;
}

async function keysBelow(bucket: Bucket, prefix: string, mostPages: number, from?: string): Promise<Listed> {
  const keys: { key: string; modified: Instant }[] = [];
  let after = from;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const { objects, hasMore } = await pageOfMarkers(bucket, prefix, { after });
    keys.push(...objects.map(({ Key = '', LastModified }) => ({ key: Key, modified: LastModified?.getTime() ?? 0 })));
    after = objects.at(-1)?.Key;
    if (!hasMore || after === undefined) return { keys, hasMore: false };
  }
  return { keys, hasMore: true };
}

/** Of `live/` and `index/` alike. */
export function createS3RunList(bucket: Bucket, { kept }: Pick<IndexSizes, 'kept'> = INDEX_SIZES): RunList {
  return { rows: (wish) => list(bucket, kept, wish), ids: (prefix, most) => idsOf(bucket, prefix, most) };
}

async function idsOf({ s3, bucket }: Bucket, beginning: string, most: number): Promise<readonly RunId[]> {
  const input = { Bucket: bucket, Prefix: RUNS + beginning, Delimiter: '/', MaxKeys: most };
  try {
    const { CommonPrefixes = [] } = await s3.send(new ListObjectsV2Command(input));
    return CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(RUNS.length, -1)).filter(isRunId);
  } catch (error) {
    throw fromAwsError(error, { action: 's3:ListBucket', resource: `s3://${bucket}` });
  }
}

async function list(bucket: Bucket, kept: number, wish: RowWish): Promise<readonly RunRow[]> {
  // In this order: a run that is closed meanwhile has its row before its marker goes.
  const live = await liveRows(bucket);
  const first = await keysBelow(bucket, INDEX, 1);
  const newest = rowsIn(first);
  // Whatever is in a sheet, or on a further page, is not newer than this one.
  const edge = newest[Math.min(kept, newest.length) - 1]?.acceptedAt ?? Infinity;
  const near = [...newest, ...live].filter(({ acceptedAt }) => acceptedAt > edge);
  const found = chosen(near, wish);
  if (found.length >= wish.limit || (wish.since ?? -Infinity) > edge) return found;
  const rest = first.hasMore ? rowsIn(await keysBelow(bucket, ROWS, Infinity, first.keys.at(-1)?.key)) : [];
  const isAll = !first.hasMore && first.keys.every(({ key }) => key.startsWith(ROWS));
  // Asked for last: a row that was moved meanwhile is in the sheet before it is taken from where it was.
  const older = isAll ? [] : await sheetRows(bucket, wish.since);
  return chosen([...newest, ...rest, ...older, ...live], wish);
}

async function liveRows(bucket: Bucket): Promise<readonly RunRow[]> {
  const runs = await createS3LiveRuns(bucket).list({ limit: Infinity });
  return runs.flatMap(({ rows }) => rowsOf(rows));
}

function rowsIn({ keys }: Listed): readonly RunRow[] {
  return rowsOf(keys.filter(({ key }) => key.startsWith(ROWS)).map(({ key }) => key.slice(ROWS.length)));
}

function rowsOf(texts: readonly string[]): readonly RunRow[] {
  return texts.flatMap((text) => parseRow(text) ?? []);
}

async function sheetRows(bucket: Bucket, since: Instant | undefined): Promise<readonly RunRow[]> {
  const { keys } = await keysBelow(bucket, SHEETS, Infinity);
  // What is in a sheet was accepted before the sheet was written last.
  const wanted = keys.filter(({ modified }) => since === undefined || modified >= since);
  const texts = await mapConcurrent(
    wanted,
    SHEETS_AT_ONCE,
    async ({ key }) => (await getText(bucket, key))?.text ?? '',
  );
  return texts.flatMap((text) => rowsOf(text.split('\n')));
}

/** One row for each run: that with its outcome, else that of its latest attempt. The newest run first. */
function chosen(rows: readonly RunRow[], { since = -Infinity, matches, limit }: RowWish): readonly RunRow[] {
  const byRun = new Map<string, RunRow>();
  for (const row of rows) {
    const known = byRun.get(row.runId);
    if (known === undefined || rank(row) > rank(known)) byRun.set(row.runId, row);
  }
  return [...byRun.values()]
    .filter((row) => row.acceptedAt >= since && matches(row))
    .sort((a, b) => b.acceptedAt - a.acceptedAt || (a.runId < b.runId ? -1 : 1))
    .slice(0, limit);
}

/** By how far a run was when the row was written. */
function rank({ state, attempts, endedAt }: RunRow): number {
  return endedAt === undefined ? attempts * 10 + ROW_STATES.indexOf(state) : Infinity;
}
