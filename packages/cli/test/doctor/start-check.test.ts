import { describe, expect, it } from 'vitest';
import { checkStart } from '../../src/doctor/start-check.ts';
import type { ClassArchive } from '../../../../lib/delivery/classes/archive.ts';

const ARCHIVE = { bucket: 'b', key: 'k', sha256: 'a', size: 1, classPath: 'b', java: '17' } satisfies ClassArchive;

describe('what doctor says of a start', () => {
  it('names all that would help', async () => {
    const layers = [
      { image: 'flink:2.3.0', imagePullPolicy: 'Always' as const, jobManager: { resource: { cpu: 0.25 } } },
      { flinkConfiguration: { 'kubernetes.jobmanager.cpu.limit-factor': '2' } },
    ];
    const { state, message } = await checkStart({ target: 'default', layers });
    expect(state).toBe('ok');
    expect(message).toContain('fastStart: true');
    expect(message).toContain('imagePullPolicy: Always');
    expect(message).toContain('a jobManager of 0.5 cores');
  });

  it('looks for the archive of an image whose jobs would use it', async () => {
    const layers = [{ image: 'flink:2.3.0', fastStart: 'short' as const }];
    const of = async (find: () => Promise<ClassArchive | undefined>): Promise<unknown> =>
      checkStart({ target: 'default', layers, archives: { find } });
    expect(await of(() => Promise.resolve(ARCHIVE))).toEqual({ state: 'ok', message: 'as fast as the defaults allow' });
    expect(await of(() => Promise.resolve(undefined))).toMatchObject({
      message: 'flink-dispatch image warm flink:2.3.0 records the classes of the image',
    });
    expect(await of(() => Promise.reject(new Error('no rights')))).toMatchObject({ state: 'unknown' });
  });
});
