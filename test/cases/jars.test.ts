import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import { inspectJar } from '../../lib/job/jar/inspect.ts';
import { programKind } from '../../lib/job/jar/program.ts';
import { prepareRun } from '../../lib/job/prepare.ts';
import { storedJobsIn } from '../../lib/job/spec/stored-jobs.ts';
import { fillPlaceholders, placeholderContext } from '../../lib/job/spec/template.ts';
import { jarFixture, MemoryObjects } from '../job/jar/memory-objects.ts';

const REF = { bucket: 'jars', key: 'a.jar' };

function inspected(fixture: string) {
  const objects = new MemoryObjects().put('jars/a.jar', jarFixture(fixture));
  return inspectJar({ uri: 's3://jars/a.jar', s3: REF }, objects, undefined);
}

describe('jar-trailing-bytes', () => {
  it.each(['trailing-newline', 'trailing-zeros', 'trailing-multipart', 'trailing-space'])(
    '%s is opened, as Java opens it',
    async (fixture) => expect(await inspected(fixture)).toMatchObject({ entryClass: 'com.acme.Job' }),
  );
});

describe('jar-two-manifests', () => {
  it('runs the class of the last one, and says that there are two', async () => {
    expect(await inspected('two-manifests')).toMatchObject({
      entryClass: 'com.acme.Job',
      note: expect.stringMatching(/2 manifests.*com\.acme\.Job, not lib\.Cli/) as string,
    });
  });
});

describe('s3-hash-key', () => {
  const deployment = parseDispatchConfig(readFileSync(new URL('../../infra/dispatch.yml', import.meta.url), 'utf8'));

  it.each([
    ['builds/#42/wordcount.jar', 'wordcount'],
    ['what?/app.jar', 'app'],
  ])('%s is the job %s', async (key, name) => {
    const objects = new MemoryObjects().put(`jars/${key}`, jarFixture('main-class'));
    const source = { kind: 'jar-upload', bucket: 'jars', key, eventTime: 0 } as const;
    const deps = { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment };
    expect((await prepareRun({ source, identity: 'u' }, deps, 0)).job).toMatchObject({ name });
  });

  it('week#23/job.py is a Python program', () => {
    expect(programKind('s3://flink-dispatch-x/week#23/job.py')).toBe('python');
  });
});

describe('dst-midnight', () => {
  it.each([
    ['2026-04-24T21:30:00Z', 'Africa/Cairo', '2026-04-24', '2026-04-23T22:30:00Z'],
    ['2026-03-29T21:10:00Z', 'Asia/Beirut', '2026-03-29', '2026-03-28T22:10:00Z'],
    ['2026-09-07T03:30:00Z', 'America/Santiago', '2026-09-06', '2026-09-06T04:30:00Z'],
    ['2026-03-09T04:30:00Z', 'America/Havana', '2026-03-08', '2026-03-08T05:30:00Z'],
    ['2026-03-30T00:20:00Z', 'Atlantic/Azores', '2026-03-29', '2026-03-29T01:20:00Z'],
  ])('a day before %s in %s is %s', (at, zone, date, time) => {
    const scheduledTime = Date.parse(at);
    const source = { kind: 'schedule', schedule: 's', scheduledTime } as const;
    const context = placeholderContext(source, runIdFor('r'), scheduledTime, zone);
    const args = ['{{scheduledDate -1d}}', '{{scheduledTime -1d}}'];
    expect(fillPlaceholders({ job: { args } }, context).job?.args).toEqual([date, time]);
  });
});
