/** A refusal before it becomes an error. */
export interface Refusal {
  readonly field: string;
  readonly message: string;
}
