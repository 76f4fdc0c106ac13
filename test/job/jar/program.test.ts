import { describe, expect, it } from 'vitest';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { checkProgram, programKind, programOf } from '../../../lib/job/jar/program.ts';

const job = (uri: string, more: Partial<ResolvedJob> = {}): ResolvedJob =>
  ({ jar: { uri }, mode: 'application', flinkVersion: '2.3', args: ['--x', '1'], ...more }) as ResolvedJob;

it.each([
  ['s3://b/jobs/a.jar', 'jar'],
  ['local:///opt/job', 'jar'],
  ['s3://b/jobs/a.PY', 'python'],
  ['https://h/a.py?v=1.jar', 'python'],
  ['s3://b/jobs/a.sql', 'sql'],
  ['s3://b/a.sql/b.jar', 'jar'],
])('%s is %s', (uri, kind) => expect(programKind(uri)).toBe(kind));

describe('the program that Flink is told of', () => {
  it('is a jar', () => {
    const it_ = job('s3://b/a.jar', { entryClass: 'a.B' });
    expect(programOf(it_, 'https://own/a.jar')).toEqual({
      jars: ['https://own/a.jar'],
      entryClass: 'a.B',
      args: ['--x', '1'],
    });
  });

  it("is Python's driver with the file before the job's own arguments", () => {
    expect(programOf(job('s3://b/a.py'), 'local:///opt/flink/usrlib/a.py')).toEqual({
      jars: [],
      entryClass: 'org.apache.flink.client.python.PythonDriver',
      args: ['--python', '/opt/flink/usrlib/a.py', '--x', '1'],
    });
  });

  it("is SQL's driver, which reads files and URLs", () => {
    expect(programOf(job('s3://b/a.sql'), 'https://own/a.sql?s=1')).toMatchObject({
      jars: [],
      args: ['--scriptUri', 'https://own/a.sql?s=1', '--x', '1'],
    });
  });
});

it.each([
  ['a session', job('s3://b/a.py', { mode: 'session' }), 'job.jarURI', 'session'],
  ['another class', job('s3://b/a.py', { entryClass: 'a.B' }), 'job.entryClass', 'PythonDriver'],
  ['SQL before 2.0', job('s3://b/a.sql', { flinkVersion: '1.20' }), 'job.jarURI', 'Flink 2.0 or newer'],
])('%s is refused', (_what, refused, field, message) => {
  expect(() => checkProgram(refused)).toThrowError(
    expect.objectContaining({ reason: 'InvalidSpec', field, message: expect.stringContaining(message) as string }),
  );
});

it('what Flink runs is not refused', () => {
  for (const uri of ['s3://b/a.py', 's3://b/a.sql', 's3://b/a.jar']) expect(() => checkProgram(job(uri))).not.toThrow();
  expect(() => checkProgram(job('s3://b/a.jar', { mode: 'session', flinkVersion: '1.20' }))).not.toThrow();
});
