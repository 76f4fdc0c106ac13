/** What is counted for whoever watches a deployment. */
export interface Metrics {
  /** Every name with dimensions always has the same ones. */
  add(name: string, value: number, dimensions?: Readonly<Record<string, string>>): void;
}
