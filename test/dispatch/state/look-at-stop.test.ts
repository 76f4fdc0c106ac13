import { describe, expect, it } from 'vitest';
import type { AttemptContext } from '../../../lib/dispatch/attempt-context.ts';
import { lookAtStop } from '../../../lib/dispatch/state/look-at-stop.ts';
import type { StatePlan } from '../../../lib/job/job.ts';
import { currentAttempt, updateAttempt } from '../../../lib/run/machine.ts';
import type { ActiveRun, StopRequest } from '../../../lib/run/record.ts';
import { savepointTry } from '../../../lib/run/stop-request.ts';
import { FakeStateStorage } from '../../fakes/state-storage.ts';
import { kubernetes, look, NOW, runIn, UNREACHABLE } from '../../verdict/observations.ts';

const PLAN: StatePlan = {
  ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'NATIVE', savepointDeadline: 60_000 },
  ...{ savepointDirectory: 's3://state/sp', checkpointDirectory: 's3://state/chk' },
  ...{ probation: 1, rollback: 'automatic', history: { count: 1, age: 1 } },
};
const plain = runIn('running', 5_000);
const stream: ActiveRun = { ...plain, job: { ...plain.job, kind: 'streaming', state: PLAN } };
const savepoint = savepointTry(stream, 1, { format: 'NATIVE', drain: false });
const stopRequested: StopRequest = {
  ...{ at: NOW, by: 'x', reason: 'ReplacedByNewerRun', mode: 'savepoint', savepoint, until: NOW + 1, fallback: 'none' },
};
const stopping: ActiveRun = { ...stream, stopRequested, stopTries: 1 };
const gone = look(stopping, UNREACHABLE, { kubernetes: kubernetes(stopping, { pods: [] }) });

const complete = (checkpointId: number) => ({ at: NOW, checkpointId, bytes: 1 });

/** What is found of a stop whose JobManager is gone. */
async function found(run: ActiveRun, storage: FakeStateStorage) {
  const { stop } = await lookAtStop(
    {
      ...{ run, job: run.job, attempt: currentAttempt(run) },
      deps: { state: storage.storages, log: { warn: () => undefined } },
    } as unknown as AttemptContext<ActiveRun>,
    gone,
  );
  return { savepoint: stop?.savepoint?.checkpointId, newest: stop?.newest?.checkpointId };
}

describe('a stop of which nobody tells', () => {
  const storage = new FakeStateStorage();
  storage.complete.set(`${savepoint.directory}savepoint-1`, complete(4));
  storage.complete.set(`s3://state/chk/${currentAttempt(stopping).jobId}/chk-7`, complete(7));

  it('has been gone past where its storage has a newer checkpoint', async () => {
    expect(await found(stopping, storage)).toEqual({ savepoint: 4, newest: 7 });
  });

  it('goes by its savepoint where a program was begun again, whose numbers began anew', async () => {
    expect(await found(updateAttempt(stopping, { beganAgain: true }), storage)).toEqual({
      savepoint: 4,
      newest: undefined,
    });
  });

  it('goes by its savepoint where checkpoints may not be read', async () => {
    const closed = new FakeStateStorage(['s3://state/sp']);
    closed.complete.set(`${savepoint.directory}savepoint-1`, complete(4));
    expect(await found(stopping, closed)).toEqual({ savepoint: 4, newest: undefined });
  });

  it('looks for no checkpoint where it left no savepoint', async () => {
    const empty = new FakeStateStorage();
    await found(stopping, empty);
    expect(empty.asked).toEqual([`savepoints ${savepoint.directory}`]);
  });
});
