import { explain, type Explanation } from '../verdict/decide.ts';
import { parseDecisionEvidence, type DecisionEvidence } from '../verdict/decision-evidence.ts';

/** One decision that was kept, taken again with the rules of this version. */
export interface Replay {
  readonly file: string;
  readonly kept: DecisionEvidence;
  readonly explanation: Explanation;
}

/** @throws DispatchError `Internal` for evidence that is damaged, or of a later version */
export function replayOf(file: string, text: string): Replay {
  const kept = parseDecisionEvidence(text, file);
  return { file, kept, explanation: explain(kept) };
}

/** Whether the rules of this version decide as the code did that took the decision. */
export function agrees({ kept: { rule, kind }, explanation: { verdict } }: Replay): boolean {
  return rule === verdict.rule && kind === verdict.kind;
}

/** As documents show it. */
export function replayDocument(replay: Replay) {
  const { file, kept, explanation } = replay;
  return {
    file,
    takenAt: new Date(kept.now).toISOString(),
    recorded: { rule: kept.rule, kind: kept.kind },
    agrees: agrees(replay),
    ...explanation,
  };
}
