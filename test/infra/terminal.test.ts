import { describe, expect, it, vi } from 'vitest';
import { Terminal } from '../../infra/local/demo/terminal.ts';

/** A terminal of 40 columns, or a file. */
function terminalOf(isTTY: boolean, environment: Record<string, string> = {}) {
  let written = '';
  const stream = { isTTY, columns: 40, write: (text: string) => void (written += text) };
  return {
    terminal: new Terminal(stream as unknown as NodeJS.WriteStream, { NO_COLOR: '1', ...environment }),
    written: () => written,
  };
}

describe("the demo's terminal", () => {
  it('shows what takes its time in the last line, below lines that stay', () => {
    vi.useFakeTimers({ now: 0 });
    const { terminal, written } = terminalOf(true);
    const done = terminal.wait(() => 'building');
    vi.advanceTimersByTime(100);
    terminal.line('found Java');
    done();
    vi.useRealTimers();
    const lines = written().split('\r\u001b[2K');
    expect(lines).toEqual(['', '  building 0.0 s', '  building 0.1 s', 'found Java\n', '  building 0.1 s', '']);
  });

  it.each([
    [false, {}],
    [true, { CI: 'true' }],
    [true, { TERM: 'dumb' }],
  ])('moves nothing where lines stay: terminal %s, %j', (isTTY, environment) => {
    const { terminal, written } = terminalOf(isTTY, environment);
    terminal.wait(() => 'building')();
    terminal.line('found Java');
    expect(written()).toBe('found Java\n');
  });
});
