import type { Duration } from '../../../../lib/core/clock.ts';

const ERASE = '\r\u001b[2K';

/** A terminal that shows what is written over, and is no log of a CI run. */
export function animates(isTty: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTty && env['CI'] === undefined && env['TERM'] !== 'dumb';
}

/** The last line of a terminal, which is drawn anew while something takes its time. */
export class MovingLine {
  private readonly write: (text: string) => void;
  private readonly interval: Duration;
  private shown: { readonly text: () => string; readonly timer: NodeJS.Timeout } | undefined;

  constructor(write: (text: string) => void, interval: Duration) {
    this.write = write;
    this.interval = interval;
  }

  /** Shows what `text` gives, from now on. A process ends although it is shown. */
  show(text: () => string): void {
    if (this.shown === undefined) this.shown = { text, timer: setInterval(() => this.draw(), this.interval).unref() };
    this.draw();
  }

  /** A line that stays, above it. */
  above(text: string): void {
    this.write(`${this.shown === undefined ? '' : ERASE}${text}\n`);
    this.draw();
  }

  /** Leaves the terminal as it was found. */
  end(): void {
    if (this.shown === undefined) return;
    clearInterval(this.shown.timer);
    this.shown = undefined;
    this.write(ERASE);
  }

  draw(): void {
    if (this.shown !== undefined) this.write(`${ERASE}${this.shown.text()}`);
  }
}
