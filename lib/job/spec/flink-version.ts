/** Major and minor versions whose rules this product knows. */
export const FLINK_VERSIONS = ['1.19', '1.20', '2.0', '2.1', '2.2', '2.3'] as const;
export type FlinkVersion = (typeof FLINK_VERSIONS)[number];

/**
 * `1.20` of `v1_20`, `1.20`, `1.20.3`, and of those with what a vendor adds: `1.20.0-amzn-1`, `1.20.1.post2`, `2.0-SNAPSHOT`.
 * `undefined` for another form, and for a version that is not supported.
 */
export function parseFlinkVersion(text: string): FlinkVersion | undefined {
  const [, major, minor] = /^v?(\d{1,2})[._](\d{1,2})(?:[._]\d{1,9})*(?:[-+._a-z][\w.+-]*)?$/i.exec(text.trim()) ?? [];
  return FLINK_VERSIONS.find((version) => version === `${major}.${minor}`);
}
