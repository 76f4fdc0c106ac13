import { describe, expect, it } from 'vitest';
import { detailsPath, jobPaths } from '../../../lib/flink/archive/paths.ts';

describe('the paths of a job', () => {
  it('begin with its id', () => {
    const id = '0123456789abcdef'.repeat(2);
    expect(jobPaths(id).every((path) => path.startsWith(`/jobs/${id}`))).toBe(true);
  });

  it.each(['%2e%2e/%2e%2e/other-tenant/pods?a=', '../x', 'ABCDEF'.repeat(6), '', '0'.repeat(33)])(
    'are none of %j, which a program may say in its JobManager’s place',
    (id) => {
      expect(() => detailsPath(id)).toThrow('no id of a job');
    },
  );
});
