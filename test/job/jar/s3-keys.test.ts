import { readFileSync } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { decodeMetadata } from '../../../lib/core/encoded-words.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { jarName } from '../../../lib/job/jar/pin.ts';
import { programKind, programPath } from '../../../lib/job/jar/program.ts';
import { s3Objects } from '../../../lib/job/jar/s3-objects.ts';
import { prepareRun } from '../../../lib/job/prepare.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import { parseUploadEvent } from '../../../lib/trigger/s3-event.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { jarFixture, MemoryObjects } from './memory-objects.ts';

const deployment = parseDispatchConfig(readFileSync(new URL('../../../infra/dispatch.yml', import.meta.url), 'utf8'));
const JAR = jarFixture('main-class');

async function prepared(request: RunRequest, objects: MemoryObjects) {
  return (await prepareRun(request, { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment }, 0)).job;
}

async function uploaded(key: string, metadata: Readonly<Record<string, string>> = {}) {
  const objects = new MemoryObjects().put(`jars/${key}`, JAR, { metadata });
  return prepared({ source: { kind: 'jar-upload', bucket: 'jars', key, eventTime: 0 }, identity: 'u' }, objects);
}

describe('a key is no URL', () => {
  it.each([
    ['builds/#42/wordcount.jar', 'wordcount'],
    ['what?/app.jar', 'app'],
    ['a/b?c#d.jar', 'b-c-d'],
    ['100%/app.jar', 'app'],
    ['100%25/a%20b.jar', 'a-20b'],
    ['#.jar/?', 'flink-job-8a8de823'],
    ['a b/c+d.jar', 'c-d'],
    ['größe/Müller&Söhne.jar', 'muller-sohne'],
    ['作业.jar', 'flink-job-b7cd47c3'],
    [`${'d/'.repeat(500)}${'n'.repeat(20)}.jar`, 'n'.repeat(20)],
  ])('%s names the job', async (key, name) => {
    expect(await uploaded(key)).toMatchObject({ name, jar: { uri: `s3://jars/${key}`, s3: { bucket: 'jars', key } } });
  });

  it('has names of their own for jars without a letter of a to z', async () => {
    const [one, other] = await Promise.all([uploaded('作业.jar'), uploaded('工作.jar')]);
    expect(one.name).not.toBe(other.name);
  });

  it.each([
    ['s3://b/week#23/job.py', 'python'],
    ['s3://b/what?/job.sql', 'sql'],
    ['s3://b/job.py?x=1.jar', 'jar'],
    ['s3://b/job.py#1', 'jar'],
    ['https://h/week%2323/job.py?version=1#a', 'python'],
    ['https://h/job.jar?file=x.py', 'jar'],
  ])('%s is a program of its kind', (uri, kind) => expect(programKind(uri)).toBe(kind));

  it('runs as the program that a spec names', async () => {
    const key = 'flink-dispatch-jars-x/week#23/job.py';
    const objects = new MemoryObjects().put(key, 'print(1)');
    const source = { kind: 'message', queueArn: 'q', messageId: 'm' } as const;
    const job = await prepared({ source, identity: 'u', spec: { job: { jarURI: `s3://${key}` } } }, objects);
    expect(job).toMatchObject({ name: 'job', jar: { s3: { key: 'week#23/job.py' } } });
    expect(job.entryClass).toBeUndefined();
  });

  it('is the path of a URL only where it is one', () => {
    expect(programPath('https://h/a%20b/%23c.jar?x#y')).toBe('/a b/#c.jar');
    expect(programPath('https://h/100%/c.jar')).toBe('/100%/c.jar');
    expect(programPath('s3://b/100%25/c.jar')).toBe('s3://b/100%25/c.jar');
  });

  it('has a sidecar with the same name', async () => {
    const objects = new MemoryObjects()
      .put('jars/a/#1?/app.jar', JAR)
      .put('jars/a/#1?/app.jar.job.yaml', 'job: { args: [own] }');
    const source = { kind: 'jar-upload', bucket: 'jars', key: 'a/#1?/app.jar', eventTime: 0 } as const;
    expect((await prepared({ source, identity: 'u' }, objects)).args).toEqual(['own']);
  });

  it('has no sidecar where its name would be longer than a key may be', async () => {
    const s3 = new S3Client({ region: 'none', endpoint: 'http://127.0.0.1:1' });
    const key = `${'k'.repeat(1020)}.jar.job.yaml`;
    expect(await s3Objects(s3).text({ bucket: 'jars', key }, 1000)).toBeUndefined();
  });

  it.each([
    ['builds/%2342/a.jar', 'builds/#42/a.jar'],
    ['what%3F/a+b%2Bc.jar', 'what?/a b+c.jar'],
    ['100%25/%E4%BD%9C.jar', '100%/作.jar'],
  ])('comes from a notification as %s', (encoded, key) => {
    const record = {
      eventSource: 'aws:s3',
      eventName: 'ObjectCreated:Put',
      eventTime: '2026-11-28T00:00:00Z',
      s3: { bucket: { name: 'jars' }, object: { key: encoded } },
    };
    expect(parseUploadEvent({ Records: [record] })[0]?.requests[0]?.source).toMatchObject({ key });
  });

  it.each([
    ['week#23/job?.py', 'job_.py'],
    ['a%2Fb/..jar', 'job.jar'],
    ['作业.jar', 'job-b0dff016.jar'],
  ])('%s is a file of a plain name in a pod', (key, name) => expect(jarName(key)).toBe(name));
});

describe("an object's metadata", () => {
  const word = (text: string, charset = 'UTF-8'): string =>
    `=?${charset}?B?${Buffer.from(text, charset === 'UTF-8' ? 'utf8' : 'latin1').toString('base64')}?=`;

  it('is read from the words that S3 makes of it', async () => {
    const job = await uploaded('x.jar', { 'flink-args': word('["--city","Zürich"]'), 'flink-name': word('my-job') });
    expect(job).toMatchObject({ name: 'my-job', args: ['--city', 'Zürich'] });
  });

  it.each([
    ['plain text', 'plain text'],
    [word('Zürich'), 'Zürich'],
    ['=?UTF-8?Q?Z=C3=BCrich_is=20nice?=', 'Zürich is nice'],
    ['=?utf-8?q?Z=c3=bcrich?=', 'Zürich'],
    [word('Zürich', 'ISO-8859-1'), 'Zürich'],
    ['=?UTF-8*de?B?WsO8cmljaA==?=', 'Zürich'],
    [`${word('Zür')} ${word('ich')}`, 'Zürich'],
    [`${word('Zür')}\r\n\t${word('ich')} and more`, 'Zürich and more'],
    [
      '=?UTF-8?Q?Done:_You_just_comp?= =?UTF-8?Q?leted_=E2=80=9CA?= =?UTF-8?Q?B=E2=80=9D.?=',
      'Done: You just completed “AB”.',
    ],
    // One character in two words.
    ['=?UTF-8?B?WsM=?= =?UTF-8?B?vHJpY2g=?=', 'Zürich'],
    // What S3 answers for a header of UTF-8 bytes, from its documentation.
    ['=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=', 'ÄMÄZÕÑ S3'],
    [Buffer.from('Zürich').toString('latin1'), 'Zürich'],
    ['Zürich', 'Zürich'],
    ['日本', '日本'],
    ['=?NO-SUCH-CHARSET?B?QUJD?=', '=?NO-SUCH-CHARSET?B?QUJD?='],
    ['=?UTF-8?B?/w==?=', '=?UTF-8?B?/w==?='],
    ['=?UTF-8?X?abc?=', '=?UTF-8?X?abc?='],
    ['a=?UTF-8?B?QUJD?=b', 'a=?UTF-8?B?QUJD?=b'],
  ])('%j is %j', (value, text) => expect(decodeMetadata(value)).toBe(text));
});
