import { describe, expect, it } from 'vitest';
import { rootMessage, rootMessageIn } from '../../lib/flink/root-cause.ts';

const AT = '\tat a.B.c(B.java:1)';
const HARNESS = 'Caused by: java.lang.RuntimeException: Error received from SDK harness for instruction 4: ';
const TRACEBACK = 'Traceback (most recent call last):';
const PYTHON_FRAME = '  File "/opt/job.py", line 3, in process\n    at = row[key]';
const DIRECT = '\nThe above exception was the direct cause of the following exception:\n';
const CONTEXT = '\nDuring handling of the above exception, another exception occurred:\n';

function text(...lines: readonly string[]): string {
  return lines.join('\n');
}

describe('the root cause in a stack trace of Java', () => {
  it.each([
    [
      'the deepest cause',
      text('a.A: 1', AT, 'Caused by: a.B: 2', AT, 'Caused by: a.C: 3', AT, '\t... 9 more'),
      'a.C: 3',
    ],
    ['a circle', text('a.A: 1', AT, 'Caused by: a.B: 2', AT, 'Caused by: [CIRCULAR REFERENCE: a.A: 1]'), 'a.B: 2'],
    [
      'a circle, as Java 8 prints it',
      text('a.A: 1', AT, 'Caused by: a.B: 2', AT, '\t[CIRCULAR REFERENCE:a.A: 1]'),
      'a.B: 2',
    ],
    [
      'a circle, as logback prints it',
      text('a.A: 1', AT, 'Caused by: a.B: 2', AT, 'Caused by: CIRCULAR REFERENCE:a.A: 1'),
      'a.B: 2',
    ],
    [
      'suppressed exceptions with causes of their own',
      text(
        'a.A: 1',
        AT,
        '\tSuppressed: s.S: no',
        `\t${AT}`,
        '\tCaused by: s.T: no',
        `\t${AT}`,
        'Caused by: a.B: 2',
        AT,
      ),
      'a.B: 2',
    ],
    ['only suppressed exceptions', text('a.A: 1', AT, '\tSuppressed: s.S: no', '\tCaused by: s.T: no'), 'a.A: 1'],
    [
      'a suppressed exception below the root',
      text('a.A: 1', 'Caused by: a.B: 2', '\tSuppressed: s.S: no', AT),
      'a.B: 2',
    ],
    ['the root cause first', text('a.C: 3', AT, 'Wrapped by: a.B: 2', AT, 'Wrapped by: a.A: 1', AT), 'a.C: 3'],
    [
      "logback's frames",
      text('a.A: 1', `${AT} ~[x.jar:1]`, 'Caused by: a.B: 2', `${AT} [x.jar:na]`, '\t... 3 common frames omitted'),
      'a.B: 2',
    ],
    ['frames of modules', text('a.A: 1', '\tat java.base/java.lang.Thread.run(Thread.java:840)'), 'a.A: 1'],
    ['native frames', text('a.A', '\tat a.B.invoke0(Native Method)'), 'a.A at a.B.invoke0(Native Method)'],
    [
      'a message of several lines',
      text('a.A: 1', AT, 'Caused by: a.B: first', '', '  second', AT),
      'a.B: first\n\n  second',
    ],
    [
      'a message that begins like a frame',
      text('a.A: look', '  at the end of it all', AT),
      'a.A: look\n  at the end of it all',
    ],
    ['a thread that nobody caught', text('Exception in thread "main" a.A: 1', AT), 'a.A: 1'],
    ['a trace in a message', text('a.A: a.B: 2', AT, 'Caused by: a.C: 3', AT, '', AT), 'a.C: 3'],
  ])('%s', (_what, trace, root) => {
    expect(rootMessage(trace)).toBe(root);
  });
});

describe('the root cause in a traceback of Python', () => {
  it.each([
    [
      'in the message of a Java exception',
      text('a.A: 1', AT, HARNESS + TRACEBACK, PYTHON_FRAME, "KeyError: 'customer_id'", '', AT),
      "KeyError: 'customer_id'",
    ],
    [
      'of more frames than a message has room for',
      text(HARNESS + TRACEBACK, ...Array<string>(200).fill(PYTHON_FRAME), "KeyError: 'id'", '', AT),
      "KeyError: 'id'",
    ],
    [
      'raised from another one',
      text(
        HARNESS + TRACEBACK,
        PYTHON_FRAME,
        'ValueError: first',
        DIRECT,
        TRACEBACK,
        PYTHON_FRAME,
        'RuntimeError: second',
        '',
        AT,
      ),
      'ValueError: first',
    ],
    [
      'raised from another one, twice',
      text(
        TRACEBACK,
        PYTHON_FRAME,
        'a.First: 1',
        DIRECT,
        TRACEBACK,
        PYTHON_FRAME,
        'Second: 2',
        DIRECT,
        TRACEBACK,
        PYTHON_FRAME,
        'Third: 3',
      ),
      'a.First: 1',
    ],
    [
      'raised while another one was handled',
      text(TRACEBACK, PYTHON_FRAME, "KeyError: 'a'", CONTEXT, TRACEBACK, PYTHON_FRAME, 'TypeError: b'),
      "TypeError: b (while handling KeyError: 'a')",
    ],
    [
      'without a message',
      text(TRACEBACK, PYTHON_FRAME, 'AssertionError'),
      'AssertionError at File "/opt/job.py", line 3, in process',
    ],
    [
      'with a message of several lines',
      text(TRACEBACK, PYTHON_FRAME, 'ValueError: first', 'second', '', AT),
      'ValueError: first\nsecond',
    ],
    [
      'of a syntax that is none',
      text(TRACEBACK, '  File "a.py", line 1', '    foo bar', '        ^', 'SyntaxError: invalid syntax'),
      'SyntaxError: invalid syntax',
    ],
    [
      'with a Java exception in it',
      text(
        TRACEBACK,
        PYTHON_FRAME,
        'py4j.protocol.Py4JJavaError: An error occurred while calling o8.execute.',
        ': a.A: 1',
        AT,
        'Caused by: a.B: 2',
        AT,
      ),
      'a.B: 2',
    ],
    [
      'with a Java exception without a cause in it',
      text(
        TRACEBACK,
        PYTHON_FRAME,
        'py4j.protocol.Py4JJavaError: An error occurred while calling o8.execute.',
        ': a.A: 1',
        AT,
      ),
      'a.A: 1',
    ],
    [
      'of a group',
      text(
        '  + Exception Group Traceback (most recent call last):',
        '  |   File "x.py", line 1, in <module>',
        '  |     raise E',
        '  | ExceptionGroup: two (2 sub-exceptions)',
        '  +-+---- 1 ----',
        '    | ValueError: 1',
      ),
      'ExceptionGroup: two (2 sub-exceptions)',
    ],
    [
      'that is cut before its exception: the Java one',
      text('Caused by: a.A: python said', TRACEBACK, PYTHON_FRAME),
      `a.A: python said\n${TRACEBACK}\n${PYTHON_FRAME}`,
    ],
  ])('%s', (_what, trace, root) => {
    expect(rootMessage(trace)).toBe(root);
  });
});

describe('the root cause in a text that may have none', () => {
  it.each([
    [
      'a message, then a trace',
      text('Something failed: see below', 'more of it', 'a.b.CException: 1', AT),
      'a.b.CException: 1',
    ],
    ['a trace on the line of the message', text('Fatal error. java.io.IOException: no', AT), 'java.io.IOException: no'],
    ['an exception without a package', text('failed', 'BadOrderException: 7', AT), 'BadOrderException: 7'],
    ['only words', 'Could not start: no reason', undefined],
    ['words that look like a name', text('failed', 'see docs. It is: there'), undefined],
    ['frames alone', text('', AT, AT), undefined],
    ['nothing', '', undefined],
  ])('%s', (_what, log, root) => {
    expect(rootMessageIn(log)).toBe(root);
  });
});
