import { describe, expect, it } from 'vitest';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import { prepareRun } from '../../lib/job/prepare.ts';
import { storedJobsIn } from '../../lib/job/spec/stored-jobs.ts';
import { MemoryObjects } from './jar/memory-objects.ts';

const DEPLOYMENT = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
allow: { jarUriSchemes: [local, s3], jarBuckets: [jars], sessions: [shared], maxResources: { memory: 4g } }
`);
const GIB = 1024 ** 3;
const SIZED = { jobManager: { resource: { memory: '1g' } }, taskManager: { resource: { memory: '2g' } } };

function prepare(spec: Record<string, unknown>) {
  const objects = new MemoryObjects();
  const source = { kind: 'message', queueArn: 'arn:aws:sqs:x:1:q', messageId: 'm' } as const;
  const whole = { name: 'a', job: { jarURI: 'local:///a.jar', entryClass: 'a.B' }, ...spec };
  const deps = { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment: DEPLOYMENT };
  return prepareRun({ source, identity: 'm', spec: whole }, deps, Date.parse('2026-11-21T05:00:00Z'));
}

describe('retry.memory', () => {
  it('is half as much again, up to its limit', async () => {
    const { job } = await prepare({ ...SIZED, retry: { memory: { limit: '4Gi' } } });
    expect(job.retry).toEqual({ attempts: 1, backoff: 60_000, memory: { factor: 1.5, limit: 4 * GIB } });
  });

  it.each<[string, Record<string, unknown>, string, string, RegExp]>([
    [
      'a limit that is more than is allowed',
      { ...SIZED, retry: { memory: { limit: '5g' } } },
      'NotAllowed',
      'retry.memory.limit',
      /allow\.maxResources/,
    ],
    [
      'a limit below what there is',
      { ...SIZED, retry: { memory: { limit: '1500m' } } },
      'InvalidSpec',
      'retry.memory.limit',
      /less than taskManager\.resource\.memory/,
    ],
    [
      'no size to grow from',
      { jobManager: SIZED.jobManager, retry: { memory: { limit: '4g' } } },
      'InvalidSpec',
      'retry.memory',
      /needs taskManager\.resource\.memory/,
    ],
    [
      'a factor that would hardly help',
      { ...SIZED, retry: { memory: { factor: 1, limit: '4g' } } },
      'InvalidSpec',
      'retry.memory.factor',
      /1\.1/,
    ],
    [
      'a job in a session',
      {
        ...SIZED,
        mode: 'session',
        session: { clusterId: 'shared' },
        job: { jarURI: 's3://jars/a.jar' },
        retry: { memory: { limit: '4g' } },
      },
      'InvalidSpec',
      'retry.memory',
      /a session has the memory/,
    ],
  ])('is refused with %s', async (_, spec, reason, field, message) => {
    await expect(prepare(spec)).rejects.toMatchObject({
      reason,
      field,
      message: expect.stringMatching(message) as string,
    });
  });
});
