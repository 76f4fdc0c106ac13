import type { KubernetesObject, V1Deployment, V1PodTemplateSpec } from '@kubernetes/client-node';
import type { ClusterId } from '../core/ids.ts';

/** The files of a FLINK_CONF_DIR, by name. */
export type ConfFiles = Readonly<Record<string, string>>;

/** What a native Flink cluster is made from: all that Flink's own client would be given. */
export interface ClusterRequest {
  /** `2.3.0`, `2.3`, `1.20`. */
  readonly flinkVersion: string;
  readonly mode: 'application' | 'session';
  /** Dynamic properties (`-D`), flat; they win over the conf folder's configuration file. */
  readonly options: Readonly<Record<string, string>>;
  /** The conf folder; absent: the built-in one of that Flink version. */
  readonly conf?: ConfFiles;
  /** Logging files that replace those of the conf folder or the built-in ones. */
  readonly logFiles?: ConfFiles;
  /** Contents of the files that the `kubernetes.pod-template-file.*` options name, in place of those files. */
  readonly podTemplates?: {
    readonly common?: V1PodTemplateSpec;
    readonly jobManager?: V1PodTemplateSpec;
    readonly taskManager?: V1PodTemplateSpec;
  };
  /** The texts of those files, where there are files: Flink copies them into its ConfigMap as they are. */
  readonly podTemplateTexts?: { readonly common?: string; readonly jobManager?: string; readonly taskManager?: string };
  /** Application mode: the program. */
  readonly program?: {
    readonly jars: readonly string[];
    readonly entryClass?: string;
    readonly args: readonly string[];
  };
  /**
   * Application mode: flags of `flink run` that become configuration. The client writes them over `options` and the
   * conf folder, and as typed values: `-p 3` is the number 3, `-Dparallelism.default=3` the text.
   */
  readonly flags?: ProgramFlags;
  /** Marks put on the Deployment beside Flink's own, so that an owner recognises it. */
  readonly marks?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
}

/** org.apache.flink.client.cli.ProgramOptions; what is absent is as if the flag were not given. */
export interface ProgramFlags {
  /** `-p`. */
  readonly parallelism?: number;
  /** `-C`, each a URL. */
  readonly classpaths?: readonly string[];
  /** `-d`: then `execution.attached` is false. */
  readonly detached?: boolean;
  /** `-sae`. */
  readonly shutdownOnAttachedExit?: boolean;
  /** `-s`. */
  readonly savepointPath?: string;
  /** `-n`. */
  readonly allowNonRestoredState?: boolean;
  /** `-cm`, `-rm`; default NO_CLAIM. */
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM' | 'LEGACY';
}

/** The objects of a cluster, in the order in which they are created. */
export interface FlinkCluster {
  readonly clusterId: ClusterId;
  readonly namespace: string;
  readonly deployment: V1Deployment;
  /** Owned by the Deployment; their ownerReferences lack only its uid. */
  readonly dependents: readonly KubernetesObject[];
  /** The effective configuration that the cluster will read, flat. */
  readonly configuration: Readonly<Record<string, unknown>>;
}
