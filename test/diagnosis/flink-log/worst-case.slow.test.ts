import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findInLog } from '../../../lib/diagnosis/log-findings.ts';
import { lostWorkerIn } from '../../../lib/diagnosis/task-manager-loss.ts';
import { jobEndsInLog } from '../../../lib/diagnosis/terminal-state-log.ts';
import { tellsOfTaskManagers } from '../../../lib/diagnosis/flink-log/exceptions.ts';
import { rootMessage } from '../../../lib/flink/root-cause.ts';
import { LAYOUTS } from './layouts.ts';

/** What is read of a log at once, in characters. */
const SIZE = 64 * 1024;
/**
 * Processor time of all readers together, in milliseconds. They take some 10 to 150 of it. What grows with the square of
 * the length takes seconds, and a pattern that backtracks has no end.
 */
const MOST_TIME = 1_000;

const event = LAYOUTS["Flink's log4j"] ?? (() => '');
const ID = '0f779951a567e5852aff718844e93e6b';

/** Beginnings of what patterns look for: each may begin at every place of a text that repeats them. */
const BAITS = [
  ...['pods', 'pods "', 'services.a ', 'pods "x" is forbidden: exceeded quota: ', 'a is forbidden: User "'],
  ...[
    'a "b',
    'a.',
    'a.b.',
    'Worker ',
    'Worker x is terminated. Diagnostics: ',
    'flink-main-container(exitCode=1, reason=',
  ],
  ...['FATAL ', 'ERROR ', 'OutOfMemory', 'java.lang.OutOfMemoryError: ', 'Exception in thread "', 'Caused by: '],
  ...[
    'Job ',
    `Job x (${ID}) switched from state `,
    `(${ID}) switched from state RUNNING to `,
    'reached terminal state ',
  ],
  ...[
    "The program's entry point class '",
    "JAR file does not exist '",
    'The class a',
    'is not supported in non-HA setups',
  ],
  ...['The main method caused an error: ', 'IllegalConfigurationException: ', "Could not parse value '", 'heap size'],
  ...[
    'TaskManager with id ',
    'heartbeat of TaskManager with id x',
    'aA$',
    '\u001b[',
    '[',
    '(',
    '[(',
    '{"',
    '{"a":',
    '  ',
  ],
  ...[
    'Traceback (most recent call last):',
    '2026-01-01 10:00:00',
    '20260101',
    '1',
    '1:',
    '-',
    ' - ',
    ' | ',
    '\t',
    '\tat ',
  ],
];
const ENDS = ['', ' ', '\n', '\r\n', '\n\tat a.B.c(B.java:1)\n', '\n  x\n', 'x'.repeat(4000), `${'x'.repeat(4000)}\n`];

function read(text: string): void {
  findInLog(text);
  jobEndsInLog(text);
  lostWorkerIn(text);
  tellsOfTaskManagers(rootMessage(text));
}

function fill(unit: string, size: number): string {
  return unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
}

/** Processor time of the fastest of a few, in milliseconds: other processes do not count. */
function timeOf(text: string): number {
  let best = Infinity;
  for (let count = 0; count < 4 && best > MOST_TIME; count += 1) {
    const before = process.cpuUsage();
    read(text);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

function expectSoon(unit: string): void {
  expect(timeOf(fill(unit, SIZE)), JSON.stringify(unit.slice(0, 80))).toBeLessThan(MOST_TIME);
}

describe('a log that is made to be slow to read', () => {
  it.each(BAITS)('repeats %j', (bait) => {
    for (const end of ENDS) expectSoon(bait + end);
  });

  it.each(BAITS)('repeats %j in events of every kind', (bait) => {
    const long = fill(bait, 4000);
    const json = JSON.stringify({ level: 'ERROR', message: long, stack_trace: fill(`${bait}\n`, 3000) });
    for (const unit of [event('ERROR', bait, long), event('INFO', long), `${json}\n`]) expectSoon(unit);
  });

  it('has as many events as fit', () => {
    for (const unit of ['{"message":""}\n', '{"a":1}\n', '1:00:00 I\n', '[1] INFO a.b - \n', 'I\n', '{\n', '\n']) {
      expectSoon(unit);
    }
  });

  it('is nested deeply', () => {
    const cause = fill('{"class":"a.B","cause":', SIZE / 2);
    expectSoon(`${cause}\n`);
    const depth = 2_000;
    const nested = `${'{"message":"x","class":"a.B","cause":'.repeat(depth)}null${'}'.repeat(depth)}`;
    expect(timeOf(nested)).toBeLessThanOrEqual(MOST_TIME);
  });

  it('mixes them', () => {
    const part = fc.constantFrom(...BAITS, ...ENDS.slice(0, 6), fill('x', 500), event('ERROR', 'x'));
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 6 }), (parts) => {
        expectSoon(parts.join(''));
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 60) },
    );
  });
});
