// Synthesizes the stack of a release into `out`: node app.mjs <parameters>
import process from 'node:process';
import { App } from 'aws-cdk-lib';
import { FlinkDispatchStack } from './cdk/index.mjs';

const app = new App({ outdir: 'out' });
const parameters = JSON.parse(process.argv[2] ?? '{}');
const stack = new FlinkDispatchStack(app, 'flink-dispatch-x', {
  release: 'release',
  parameters,
  tags: { team: 'data' },
});
process.stdout.write(JSON.stringify(stack.resolve(stack.output('MessageQueueUrl'))));
app.synth();
