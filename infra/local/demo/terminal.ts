import { styleText } from 'node:util';
import type { Duration } from '../../../lib/core/clock.ts';
import { animates, MovingLine } from '../../../packages/cli/src/terminal/moving-line.ts';
import type { Progress } from '../progress.ts';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan' | 'yellow';

interface Activity {
  readonly text: () => string;
  readonly begin: number;
}

/** Between two lines of progress where lines stay. */
const PLAIN_INTERVAL_MS = 10_000;
const REDRAW_MS = 100;

/** Lines for a person, and on a terminal one line below them that moves while something takes its time. */
export class Terminal implements Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #colour: boolean;
  readonly #animated: boolean;
  readonly #active = new Set<Activity>();
  readonly #moving: MovingLine;

  constructor(stream: NodeJS.WriteStream, environment: Readonly<Record<string, string | undefined>>) {
    const { NO_COLOR: plain = '', FORCE_COLOR: forced = '0' } = environment;
    this.#stream = stream;
    this.#moving = new MovingLine((text) => stream.write(text), REDRAW_MS);
    this.#animated = animates(stream.isTTY, environment);
    this.#colour = plain === '' && (this.#animated || forced !== '0');
  }

  style(style: Style, text: string): string {
    return this.#colour ? styleText(style, text) : text;
  }

  line(text = ''): void {
    this.#moving.above(text);
  }

  /** Shows `text` and its seconds below until the function that it returns is called. */
  wait(text: () => string): () => void {
    const activity = { text, begin: Date.now() };
    this.#active.add(activity);
    if (this.#animated) this.#moving.show(() => this.#activities());
    return () => {
      this.#active.delete(activity);
      if (this.#active.size === 0) this.close();
    };
  }

  async stage<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T> {
    let detail = '';
    const begin = Date.now();
    let due = begin;
    const done = this.wait(() => (detail === '' ? title : `${title}: ${detail}`));
    let mark = this.style('red', '✘');
    try {
      const result = await work((text) => {
        detail = text.trim();
        if (!this.#animated && Date.now() >= due) {
          this.line(`    ${title}: ${detail}`);
          due = Date.now() + PLAIN_INTERVAL_MS;
        }
      });
      mark = this.style('green', '✔');
      return result;
    } finally {
      done();
      this.line(`  ${mark} ${title} ${this.style('dim', seconds(Date.now() - begin))}`);
    }
  }

  /** Leaves the terminal as it was found. */
  close(): void {
    this.#moving.end();
  }

  #activities(): string {
    const now = Date.now();
    const shown = [...this.#active].map(({ text, begin }) => `${text()} ${seconds(now - begin)}`).join(' · ');
    const room = (this.#stream.columns || 80) - 3;
    return `  ${this.style('dim', shown.slice(0, room))}`;
  }
}

export function seconds(duration: Duration): string {
  return `${(duration / 1000).toFixed(1)} s`;
}
