import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { Program } from '../servers/flink.ts';
import type { Change } from './deployment-wishes.ts';

/** What somebody wants of a deployment, in place of what is drawn; then it is deleted. */
export interface DeploymentScript {
  /** Each change of a step is wanted when the one before it is on record, and the next step when the last is answered. */
  readonly steps: readonly (readonly Change[])[];
  /** When the first change of a step is wanted. */
  readonly onStep: (step: number) => void;
  /** Of all its runs. */
  readonly program: Program;
  /** When all that was wanted is reached, or it is said why not. */
  readonly onAnswer: (record: DeploymentRecord | undefined) => void;
}
