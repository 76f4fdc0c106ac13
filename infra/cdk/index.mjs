// An installation by AWS' CDK: the same template and zips as `flink-dispatch deploy` deploys.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { BucketDeployment, Source } from 'aws-cdk-lib/aws-s3-deployment';

/** Where the zips are is for assets to say. */
const OWN = { CodeBucket: 'assets', CodePrefix: 'assets/', CodeVersion: 'assets' };

export class FlinkDispatchStack extends Stack {
  constructor(scope, id, { release, parameters = {}, configuration = true, ...props }) {
    super(scope, id, { stackName: id, ...props });
    const own = Object.keys(parameters).find((name) => Object.hasOwn(OWN, name));
    if (own !== undefined) throw new Error(`${own} is no parameter of FlinkDispatchStack: the zips are assets`);
    const templateFile = join(release, 'template.json');
    /** The resources of the template, by their logical ids. */
    this.include = new CfnInclude(this, 'Release', { templateFile, parameters: { ...parameters, ...OWN } });
    for (const name of readdirSync(release).filter((file) => file.endsWith('.zip'))) {
      const id = name.charAt(0).toUpperCase() + name.slice(1, -'.zip'.length);
      const asset = new Asset(this, `${id}Code`, { path: join(release, name) });
      const code = { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
      this.include.getResource(`${id}LambdaFunction`).code = code;
    }
    const ledger = parameters.LedgerBucketName || this.include.getResource('LedgerBucket').ref;
    if (configuration) this.#configure(ledger, release, JSON.parse(readFileSync(templateFile, 'utf8')));
  }

  /** Stored when what it needs of AWS is there, which the template has marked. */
  #configure(ledger, release, { Resources }) {
    const text = readFileSync(join(release, 'dispatch.yml'), 'utf8');
    const needed = Object.keys(Resources).filter((id) => Resources[id].Metadata?.FlinkDispatch === 'configuration');
    const stored = new BucketDeployment(this, 'Configuration', {
      sources: [Source.data('dispatch.yml', text)],
      destinationBucket: Bucket.fromBucketName(this, 'Ledger', ledger),
      destinationKeyPrefix: 'config',
      prune: false,
      memoryLimit: 256,
    });
    stored.node.addDependency(...needed.map((id) => this.include.getResource(id)));
  }

  /** Of the release: JarBucketName, MessageQueueUrl, EventBusName and others. */
  output(name) {
    return this.include.getOutput(name).value;
  }
}
