import type { Duration } from '../../../../lib/core/clock.ts';
import { style, type Io } from './io.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const REDRAW: Duration = 120;

export interface Progress {
  /** A new situation: replaces the line before it on a terminal, and is a line of its own elsewhere. */
  readonly say: (line: string) => void;
  /** A line that stays. */
  readonly note: (line: string) => void;
  readonly end: () => void;
}

/** Progress on standard error; it moves only on a terminal, and not in CI. */
export function createProgress(io: Io): Progress {
  const start = io.clock.now();
  const elapsed = () => `${((io.clock.now() - start) / 1000).toFixed(1).padStart(6)} s  `;
  if (!animates(io)) {
    const print = (line: string) => io.err(`${style(io, 'dim', elapsed())}${line}\n`);
    return { say: print, note: print, end: () => undefined };
  }
  let current = '';
  let frame = 0;
  const draw = () => {
    frame += 1;
    if (current !== '')
      io.err(`\r\u001b[2K${FRAMES[frame % FRAMES.length] ?? ''} ${style(io, 'dim', elapsed())}${current}`);
  };
  const timer = setInterval(draw, REDRAW);
  timer.unref();
  const note = (line: string) => io.err(`\r\u001b[2K${style(io, 'dim', elapsed())}${line}\n`);
  return {
    say(line) {
      if (current !== '') note(current);
      current = line;
      draw();
    },
    note,
    end() {
      clearInterval(timer);
      io.err('\r\u001b[2K');
      if (current !== '') note(current);
    },
  };
}

function animates(io: Io): boolean {
  return io.errIsTty && io.env['CI'] === undefined && io.env['TERM'] !== 'dumb';
}
