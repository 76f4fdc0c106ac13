import type { Io } from '../terminal/io.ts';

/** Asks one question after the other; an empty line, or nobody there, is the answer in brackets. */
export type Ask = (question: string, otherwise: string) => Promise<string>;

export function questions(io: Io): { readonly ask: Ask; readonly end: () => Promise<void> } {
  const lines = io.input()[Symbol.asyncIterator]();
  return {
    async ask(question, otherwise) {
      io.err(`${question} [${otherwise}]: `);
      const next = await lines.next();
      if (next.done === true) io.err('\n');
      const answer = next.done === true ? '' : next.value.trim();
      return answer === '' ? otherwise : answer;
    },
    async end() {
      await lines.return?.();
    },
  };
}
