import type { DeadLetter, DeadLetters } from '../../lib/run/store/dead-letters.ts';
import { Faults } from './faults.ts';

export class FakeDeadLetters implements DeadLetters {
  readonly faults = new Faults<keyof DeadLetters>();
  readonly letters: DeadLetter[] = [];

  put(letter: DeadLetter): Promise<void> {
    return this.faults.around('put', () => {
      this.letters.push(letter);
    });
  }
}
