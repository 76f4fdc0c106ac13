import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { Program } from '../servers/flink.ts';
import type { Change } from './deployment-wishes.ts';

/** What somebody wants of a deployment, one after the other, in place of what is drawn; then it is deleted. */
export interface DeploymentScript {
  readonly changes: readonly { readonly at: number; readonly change: Change }[];
  /** Of all its runs. */
  readonly program: Program;
  /** When all that was wanted is reached, or it is said why not. */
  readonly onAnswer: (record: DeploymentRecord | undefined) => void;
}
