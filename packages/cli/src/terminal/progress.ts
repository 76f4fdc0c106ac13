import type { Duration } from '../../../../lib/core/clock.ts';
import { style, type Io } from './io.ts';
import { animates, MovingLine } from './moving-line.ts';

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
  if (!animates(io.errIsTty, io.env)) {
    const print = (line: string) => io.err(`${style(io, 'dim', elapsed())}${line}\n`);
    return { say: print, note: print, end: () => undefined };
  }
  const moving = new MovingLine(io.err, REDRAW);
  let current = '';
  let frame = 0;
  const situation = () => {
    frame += 1;
    return `${FRAMES[frame % FRAMES.length] ?? ''} ${style(io, 'dim', elapsed())}${current}`;
  };
  const note = (line: string) => moving.above(`${style(io, 'dim', elapsed())}${line}`);
  return {
    say(line) {
      if (current !== '') note(current);
      current = line;
      moving.show(situation);
    },
    note,
    end() {
      moving.end();
      if (current !== '') note(current);
    },
  };
}
