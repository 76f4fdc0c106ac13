/** Where the ledger bucket has the dispatch configuration that functions read. */
export const CONFIG_KEY = 'config/dispatch.yml';
/** The last one that the installation's own functions could use: what they go back to when the other is not good. */
export const LAST_GOOD_KEY = 'config/last-good.yml';

export interface StoredConfig {
  readonly text: string;
  readonly eTag: string;
  /** Absent in a bucket without versions. */
  readonly versionId?: string;
}

/** Methods throw DispatchError as `fromAwsError`. */
export interface ConfigStore {
  /** `s3://<bucket>/<key>`, for messages. */
  uri(key: string): string;
  /** Undefined when there is none; `unchanged` when it still has the ETag `known`. */
  read(key: string, known?: string): Promise<StoredConfig | 'unchanged' | undefined>;
  keepLastGood(text: string): Promise<void>;
}

/** What people use beside functions. */
export interface ConfigEditor extends ConfigStore {
  readVersion(versionId: string): Promise<StoredConfig | undefined>;
  /** Takes the place of what was read before (`undefined`: of nothing). False when somebody else was faster. */
  replace(text: string, before: StoredConfig | undefined): Promise<boolean>;
}
