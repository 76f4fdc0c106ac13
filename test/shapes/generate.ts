import { Draws } from '../prove/draws.ts';

/** Steps of a main() as Shape.java knows them; a step with a number gets it when it is drawn. */
const KINDS = ['job', 'fail', 'caught', 'async', 'sleep', 'throw', 'exit', 'daemon'] as const;
/** After these main() goes on. */
const PASSING = ['job', 'caught', 'async', 'sleep', 'daemon'] as const;
const POSITIONS = ['alone', 'first', 'middle', 'last'] as const;

type Kind = (typeof KINDS)[number];

/**
 * Shapes of main(), each once: every kind of step alone, at the beginning, in the middle and at the end, with others around
 * it that chance chooses. What is before a step lets it be reached.
 */
export function generateShapes(seed: number, count: number): readonly string[] {
  const draws = new Draws(seed);
  const shapes = new Set<string>();
  for (let i = 0; shapes.size < count; i += 1) {
    const kind = KINDS[i % KINDS.length] ?? 'job';
    const position = POSITIONS[Math.floor(i / KINDS.length) % POSITIONS.length] ?? 'alone';
    const before = position === 'middle' || position === 'last' ? draw(draws, `${i} before`, PASSING) : [];
    const after = position === 'middle' || position === 'first' ? draw(draws, `${i} after`, KINDS) : [];
    const steps = [...before, kind, ...after].map((step, at) => withNumber(draws, `${i} number ${at}`, step));
    shapes.add(steps.join(' '));
  }
  return [...shapes];
}

function draw(draws: Draws, question: string, from: readonly [Kind, ...Kind[]]): readonly Kind[] {
  return Array.from({ length: draws.whole(question, 1, 2) }, (_, at) => draws.pick(`${question} ${at}`, from));
}

function withNumber(draws: Draws, question: string, kind: Kind): string {
  if (kind === 'sleep') return `sleep${draws.whole(question, 1, 3)}`;
  return kind === 'exit' ? `exit${draws.pick(question, ['0', '1', '3'])}` : kind;
}
