import {
  InvalidToken,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  SFNServiceException,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { createSfnCallbacks } from '../../lib/outcome/sfn-callbacks.ts';

const sfn = mockClient(SFNClient);
const callbacks = createSfnCallbacks(new SFNClient({ region: 'eu-central-1' }));
const data = {
  runId: 'r',
  name: 'orders',
  state: 'succeeded',
  sequence: 3,
  record: 's3://l/r',
  accumulators: { n: '7' },
};
const eventWith = (change: object): LifecycleEvent => ({ data: { ...data, ...change } }) as unknown as LifecycleEvent;

beforeEach(() => sfn.reset());

describe('a task that waits', () => {
  it('succeeds with the data of the event', async () => {
    expect(await callbacks.complete('token', eventWith({}))).toBe('heard');
    const [call] = sfn.commandCalls(SendTaskSuccessCommand);
    expect(call?.args[0].input.taskToken).toBe('token');
    expect(JSON.parse(call?.args[0].input.output ?? '')).toEqual(data);
  });

  it.each(['failed', 'canceled', 'rejected', 'skipped', 'unknown'])(
    'fails by the reason of a run that %s',
    async (state) => {
      await callbacks.complete('token', eventWith({ state, reason: 'JobFailed', message: 'why' }));
      const [call] = sfn.commandCalls(SendTaskFailureCommand);
      expect(call?.args[0].input).toMatchObject({ taskToken: 'token', error: 'JobFailed' });
      expect(JSON.parse(call?.args[0].input.cause ?? '')).toMatchObject({ state, message: 'why' });
    },
  );

  it('is given a cause that Step Functions takes, and that is JSON', async () => {
    const long = { state: 'failed', reason: 'JobFailed', message: 'm'.repeat(20_000), stackTrace: 's'.repeat(40_000) };
    await callbacks.complete('token', eventWith({ ...long, rootException: 'é'.repeat(20_000) }));
    const { cause = '' } = sfn.commandCalls(SendTaskFailureCommand)[0]?.args[0].input ?? {};
    expect(cause.length).toBeLessThanOrEqual(32_768);
    expect(JSON.parse(cause)).toMatchObject({ runId: 'r', reason: 'JobFailed', record: 's3://l/r' });
  });

  it('hears that the run goes on', async () => {
    expect(await callbacks.heartbeat('token')).toBe('heard');
    expect(sfn.commandCalls(SendTaskHeartbeatCommand)[0]?.args[0].input).toEqual({ taskToken: 'token' });
  });

  it.each([new TaskTimedOut({ message: 'late', $metadata: {} }), new InvalidToken({ message: 'what', $metadata: {} })])(
    'is gone: $name',
    async (error) => {
      sfn.on(SendTaskSuccessCommand).rejects(error).on(SendTaskHeartbeatCommand).rejects(error);
      expect(await callbacks.complete('token', eventWith({}))).toBe('gone');
      expect(await callbacks.heartbeat('token')).toBe('gone');
    },
  );

  it.each([
    ['ThrottlingException', 400, 'StorageUnavailable'],
    ['AccessDeniedException', 400, 'PermissionDenied'],
  ])('could not be told: %s, and its token is not either', async (name, httpStatusCode, reason) => {
    const error = new SFNServiceException({ name, $fault: 'client', message: 'no', $metadata: { httpStatusCode } });
    sfn.on(SendTaskSuccessCommand).rejects(error);
    const told = callbacks.complete('a-token', eventWith({}));
    await expect(told).rejects.toMatchObject({ reason });
    await expect(told).rejects.not.toThrow(/a-token/);
  });
});
