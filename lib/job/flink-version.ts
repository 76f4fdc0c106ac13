/** Major and minor versions whose rules this product knows. */
export const FLINK_VERSIONS = ['1.19', '1.20', '2.0', '2.1', '2.2', '2.3'] as const;
export type FlinkVersion = (typeof FLINK_VERSIONS)[number];

/** `1.20` of `v1_20`, `1.20` or `1.20.3`; `undefined` for another form, and for a version that is not supported. */
export function parseFlinkVersion(text: string): FlinkVersion | undefined {
  const [, major, minor] = /^v?(\d{1,2})[._](\d{1,2})(?:[._]\d{1,2})?$/.exec(text.trim()) ?? [];
  return FLINK_VERSIONS.find((version) => version === `${major}.${minor}`);
}
