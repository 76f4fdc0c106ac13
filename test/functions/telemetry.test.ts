import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Context } from 'aws-lambda';
import { DispatchError } from '../../lib/core/errors.ts';
import { lambda, log, metrics } from '../../functions/telemetry.ts';

const CONTEXT = { awsRequestId: 'request-1', functionName: 'advance', memoryLimitInMB: '512' } as Context;

let written: string[] = [];
beforeEach(() => {
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());

const lines = (): readonly Record<string, unknown>[] =>
  written.map((text) => JSON.parse(text) as Record<string, unknown>);

describe('log lines', () => {
  it('name the invocation, and hold an error with its reason, stack and cause', async () => {
    const error = new DispatchError('ClusterUnavailable', 'no answer', { cause: new Error('socket hang up') });
    const handler = lambda(() => Promise.resolve(log.warn('step failed', { runId: 'a1', error })));
    await handler({}, CONTEXT);
    expect(lines()).toEqual([
      expect.objectContaining({
        message: 'step failed',
        runId: 'a1',
        function_request_id: 'request-1',
        error: expect.objectContaining({
          name: 'DispatchError',
          reason: 'ClusterUnavailable',
          message: 'no answer',
          stack: expect.stringContaining('telemetry.test.ts') as unknown,
          cause: expect.objectContaining({ message: 'socket hang up' }) as unknown,
        }) as unknown,
      }),
    ]);
  });

  it('hide secrets in fields, and in the messages, stacks and causes of errors', async () => {
    const cause = new Error('GET https://user:s3cr3t-1@host refused, authorization: Bearer s3cr3t-2');
    const error = new DispatchError('ClusterUnavailable', 'rejected: {"password":"s3cr3t-3"}', { cause });
    const handler = lambda(() =>
      Promise.resolve(
        log.error('it failed', {
          error,
          token: 's3cr3t-4',
          args: ['--password', 's3cr3t-5'],
          auth: [{ secret: { a: 's3cr3t-6' } }],
        }),
      ),
    );
    await handler({}, CONTEXT);
    expect(written.join('')).toContain('it failed');
    expect(written.join('')).not.toContain('s3cr3t');
  });
});

describe('metrics', () => {
  it('are written after the call, also when it fails', async () => {
    const handler = lambda(() => {
      metrics.add('FailedSteps', 2);
      return Promise.reject(new Error('broken'));
    });
    await expect(handler({}, CONTEXT)).rejects.toThrow('broken');
    expect(lines()).toEqual([expect.objectContaining({ FailedSteps: 2, service: 'flink-dispatch' })]);
  });

  it('say nothing where there are none', async () => {
    await lambda(() => Promise.resolve())({}, CONTEXT);
    expect(written).toEqual([]);
  });
});
