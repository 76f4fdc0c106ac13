import type { Rule } from './rule.ts';
import type { RuledVerdict, Verdict } from './verdict.ts';

/** What became of one row: `also-holds` comes after the row that decided, `not-applicable` had no reason to look. */
export type RowResult = 'decided' | 'also-holds' | 'not-held' | 'not-applicable';

export interface ExplainedRow {
  readonly rule: string;
  readonly description: string;
  readonly result: RowResult;
  /** One sentence of the facts. */
  readonly why: string;
}

/** The verdict of the first row that has one; rows below it are not asked. */
export function judge<Input>(rules: readonly Rule<Input>[], input: Input): RuledVerdict | undefined {
  for (const rule of rules) {
    const verdict = ask(rule, input);
    if (verdict !== undefined) return ruled(verdict, rule.name);
  }
  return undefined;
}

/** Asks every row by itself: `judge` decides by the first that holds. */
export function explainRows<Input>(rules: readonly Rule<Input>[], input: Input): readonly ExplainedRow[] {
  const first = rules.find((rule) => ask(rule, input) !== undefined);
  return rules.map((rule) => {
    const { name, description, when } = rule;
    const row = { rule: name, description };
    if (when?.holds(input) === false) return { ...row, result: 'not-applicable', why: `looks only ${when.text}` };
    const holds = ask(rule, input) !== undefined;
    const result = rule === first ? 'decided' : holds ? 'also-holds' : 'not-held';
    return { ...row, result, why: rule.facts(input) };
  });
}

function ask<Input>(rule: Rule<Input>, input: Input): Verdict | undefined {
  return rule.when?.holds(input) === false ? undefined : rule.judge(input);
}

/** With the name of the row, in the outcome too: the run's record tells which one it was. */
function ruled(verdict: Verdict, rule: string): RuledVerdict {
  return verdict.kind === 'wait' ? { ...verdict, rule } : { ...verdict, rule, outcome: { ...verdict.outcome, rule } };
}
