import { expect, it } from 'vitest';
import { jarName, sourceId } from '../../../lib/job/jar/pin.ts';

it.each([
  ['jars/word-count-1.2.jar', 'word-count-1.2.jar'],
  ['a b/jöb+1.JAR', 'j_b_1.jar'],
  ['jobs/a b.py', 'a_b.py'],
  ['jobs/report.SQL', 'report.sql'],
  ['../../etc/passwd', 'passwd.jar'],
  ['x/..', 'job.jar'],
  ['.hidden.jar', 'hidden.jar'],
  ["$(touch x)';.jar", 'touch_x_.jar'],
  [`${'n'.repeat(300)}.jar`, `${'n'.repeat(100)}.jar`],
])('%s is %s in a pod', (key, name) => expect(jarName(key)).toBe(name));

it('a source is another when any part of it is', () => {
  const all = [
    { bucket: 'b', key: 'k', versionId: 'v', eTag: 'e' },
    { bucket: 'c', key: 'k', versionId: 'v', eTag: 'e' },
    { bucket: 'b', key: 'l', versionId: 'v', eTag: 'e' },
    { bucket: 'b', key: 'k', versionId: 'w', eTag: 'e' },
    { bucket: 'b', key: 'k', versionId: 'v', eTag: 'f' },
    { bucket: 'b', key: 'k', eTag: 'e' },
  ];
  expect(new Set(all.map(sourceId)).size).toBe(all.length);
});
