import { describe, expect, it } from 'vitest';
import { seesFinishedJob } from '../../lib/verdict/decide.ts';
import { answered, jobOf, look, NOW, runIn, UNREACHABLE } from './observations.ts';

const run = runIn('running', 5000);
const finished = jobOf(run, { state: 'FINISHED', endTime: NOW - 100, tasks: {} });
const failed = jobOf(run, { id: 'b'.repeat(32), state: 'FAILED', endTime: NOW - 50, tasks: {} });
const line = `2026-11-21 INFO org.apache.flink.runtime.X [] - Job x (${finished.id}) switched from state RUNNING to FINISHED.`;

describe('a look that ends an attempt', () => {
  it.each([
    ['sees a job that has finished beside one that failed', look(run, answered([finished, failed])), true],
    ['sees one in the log alone', look(run, UNREACHABLE, { jobManagerLog: { text: line, stopped: true } }), true],
    ['sees none where all have failed', look(run, answered([failed])), false],
    ['sees none where nobody tells', look(run, UNREACHABLE), false],
  ])('%s', (_, observation, expected) => {
    expect(seesFinishedJob({ observation, record: run, now: NOW })).toBe(expected);
  });
});
