import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor, type RunId } from '../../../lib/core/ids.ts';
import { omit } from '../../../lib/core/omit.ts';
import { rowOf, rowText, type RunRow } from '../../../lib/run/row.ts';
import type { RunList } from '../../../lib/run/store/run-index.ts';
import { createS3RunIndex, createS3RunList } from '../../../lib/run/store/s3-run-index.ts';
import { FakeS3 } from '../../fakes/s3.ts';
import { sampleRecord } from '../../fixtures/records/load.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-01T00:00:00Z');

let s3: FakeS3;
beforeEach(() => {
  s3 = new FakeS3();
});

/** Of the run that was accepted as the `n`th. */
function row(n: number, changes: Partial<RunRow> = {}): RunRow {
  const record = sampleRecord({ runId: runIdFor(String(n)), name: `run-${n}`, createdAt: START + n * MINUTE });
  return { ...rowOf(record), ...changes };
}

function close(from: number, to = from + 1): void {
  for (let n = from; n < to; n += 1) s3.store(`ledger/index/rows/${rowText(row(n))}`, '');
}

const sizes = { kept: 2, foldAt: 4, sheet: 5 };
const fold = (): Promise<number> => createS3RunIndex(s3.bucket, sizes).fold();
const namesIn = async (list: RunList, limit: number): Promise<readonly string[]> =>
  (await list.rows({ limit, matches: () => true })).map(({ name }) => name);
const listed = (limit = Infinity): Promise<readonly string[]> => namesIn(createS3RunList(s3.bucket, sizes), limit);
/** As a deployment lists them. */
const listedAsUsual = (limit = Infinity): Promise<readonly string[]> => namesIn(createS3RunList(s3.bucket), limit);
const newest = (count: number, limit = count): readonly string[] =>
  Array.from({ length: limit }, (_, index) => `run-${count - 1 - index}`);

describe('a list of runs', () => {
  it('has each of those that fill more than a page of S3 once', async () => {
    close(0, 1_300);
    expect(await listedAsUsual()).toEqual(newest(1_300));
    expect(await createS3RunIndex(s3.bucket).fold()).toBe(0);
    close(1_300, 2_700);
    expect(await createS3RunIndex(s3.bucket).fold()).toBe(2_200);
    expect(await listedAsUsual()).toEqual(newest(2_700));
  });

  it('loses none that is moved to a sheet while the list is read', async () => {
    close(0, 1_300);
    s3.before(/list index\/rows/, async () => void (await fold()));
    expect(await listedAsUsual()).toEqual(newest(1_300));
  });

  it('of the newest runs reads no sheet', async () => {
    close(0, 1_500);
    expect(await createS3RunIndex(s3.bucket).fold()).toBe(1_000);
    s3.asked.length = 0;
    expect(await listedAsUsual(100)).toEqual(newest(1_500, 100));
    expect(s3.asked).toEqual(['list live/', 'list index/']);
    expect(await listedAsUsual()).toEqual(newest(1_500));
  });

  it('has the newest also where an old run was closed late', async () => {
    close(1, 6);
    expect(await fold()).toBe(3);
    close(6);
    close(0);
    expect(await listed(4)).toEqual(newest(7, 4));
    expect(await listed()).toEqual(newest(7));
  });

  it.each<[string, Partial<RunRow>, Partial<RunRow>]>([
    ['its later attempt', { state: 'running', attempts: 1 }, { state: 'starting', attempts: 2 }],
    ['its later state', { state: 'waiting', attempts: 1 }, { state: 'starting', attempts: 1 }],
    [
      'its later state, whichever key comes first',
      { state: 'accepted', attempts: 1 },
      { state: 'running', attempts: 1 },
    ],
    ['its outcome', { state: 'running', attempts: 1 }, { state: 'failed', attempts: 1, endedAt: START + 1 }],
  ])('shows a run by %s while a crash has left two rows', async (_what, earlier, later) => {
    const open = omit({ ...row(1) }, 'endedAt', 'reason');
    for (const change of [earlier, later]) {
      s3.store(`ledger/live/${open.runId}~${rowText({ ...open, ...change })}`, '');
    }
    const [shown, ...others] = await createS3RunList(s3.bucket).rows({ limit: 5, matches: () => true });
    expect([shown?.state, shown?.attempts, others]).toEqual([later.state, later.attempts, []]);
  });

  it('has ids of runs alone', async () => {
    const runId: RunId = runIdFor('a');
    for (const folder of [runId, `${runId.slice(0, 6)}-notes`]) s3.store(`ledger/runs/${folder}/record.json`, '{}');
    expect(await createS3RunList(s3.bucket).ids(runId.slice(0, 6), 5)).toEqual([runId]);
  });
});

describe('fold', () => {
  it('goes on from one full sheet to the next', async () => {
    for (let n = 0; n < 24; n += 4) {
      close(n, n + 4);
      await fold();
    }
    expect(s3.keys('ledger/index/rows/')).toHaveLength(2);
    expect(s3.keys('ledger/index/older/').length).toBeGreaterThan(2);
    expect(await listed()).toEqual(newest(24));
  });

  it.each([
    ['its first', 0],
    ['a further', 4],
  ])('of a sweeper that was held up does not take the place of %s sheet', async (_which, folded) => {
    close(0, folded);
    if (folded > 0) await fold();
    close(folded, folded + 4);
    let others: Promise<number> | undefined;
    s3.before(/put index\/older/, async () => {
      close(folded + 4, folded + 8);
      await (others ??= fold());
    });
    expect(await fold()).toBe(0);
    expect(await others).toBeGreaterThan(4);
    expect(await listed()).toEqual(newest(folded + 8));
  });

  it('says so when rows stay where they were, and they are listed once', async () => {
    close(0, 4);
    const { s3: client, bucket } = s3.bucket;
    const refuse = (command: Parameters<typeof client.send>[0]): Promise<unknown> =>
      command instanceof DeleteObjectsCommand
        ? Promise.resolve({ Errors: [{ Key: 'index/rows/x', Code: 'AccessDenied' }] })
        : client.send(command);
    const refusing = { s3: { send: refuse } as unknown as typeof client, bucket };
    const folding = createS3RunIndex(refusing, sizes).fold();
    await expect(folding).rejects.toThrow(/index\/rows\/x: AccessDenied/);
    expect(await listed()).toEqual(newest(4));
  });
});
