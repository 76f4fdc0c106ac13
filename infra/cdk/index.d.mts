import type { Stack, StackProps } from 'aws-cdk-lib';
import type { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import type { Construct } from 'constructs';

export interface FlinkDispatchStackProps extends StackProps {
  /** The folder that `flink-dispatch deploy --to` has written. */
  readonly release: string;
  /** Of the template, where they differ from what `deploy --to` was told. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Whether the release's dispatch.yml is stored as well; default: true. */
  readonly configuration?: boolean;
}

/** An installation. Its names begin with the stack's name, which is `id` unless `stackName` says otherwise: that of `deploy --to`. */
export declare class FlinkDispatchStack extends Stack {
  constructor(scope: Construct, id: string, props: FlinkDispatchStackProps);
  /** The resources of the template, by their logical ids. */
  readonly include: CfnInclude;
  /** Of the release: JarBucketName, MessageQueueUrl, EventBusName and others. */
  output(name: string): unknown;
}
