import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import {
  CreateBucketCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONFIG_KEY } from '../../../../lib/install/stored-config.ts';
import type { FakeS3 } from '../../../../test/fakes/s3.ts';
import { runCli } from '../run-cli.ts';
import { serveS3 } from '../runs/fake-ledger.ts';

const cloudFormation = mockClient(CloudFormationClient);
const stub = mockClient(S3Client);
const sts = mockClient(STSClient);
const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
const config = join(folder, 'dispatch.yml');
const TEMPLATE = {
  Parameters: {
    CodeBucket: { Type: 'String' },
    CodeVersion: { Type: 'String', Default: '1-abc' },
    Stage: { Type: 'String' },
  },
  Resources: { Runs: { Type: 'AWS::SQS::Queue', Properties: {} } },
};
const CONFIG = 'targets: { default: { namespace: one, access: { kind: in-cluster } } }\n';
const before = { ...process.env };

beforeAll(() => {
  process.env['AWS_REGION'] = 'eu-central-1';
  writeFileSync(join(folder, 'template.json'), JSON.stringify(TEMPLATE));
  writeFileSync(join(folder, 'onMessage.zip'), 'zip');
  writeFileSync(config, CONFIG);
});
afterAll(() => {
  process.env = before;
  for (const mock of [cloudFormation, stub, sts]) mock.restore();
  rmSync(folder, { recursive: true });
});

let s3: FakeS3;
const failure = (status: number): S3ServiceException =>
  new S3ServiceException({ name: 'x', $fault: 'client', $metadata: { httpStatusCode: status }, message: 'x' });

beforeEach(() => {
  cloudFormation.reset();
  sts.reset();
  s3 = serveS3(stub);
  stub.on(HeadBucketCommand).rejects(failure(404));
  stub.on(HeadBucketCommand, { Bucket: 'code' }).resolves({});
  stub.on(HeadObjectCommand).rejects(failure(404));
  sts.on(GetCallerIdentityCommand).resolves({ Account: '111122223333' });
  cloudFormation.on(CreateChangeSetCommand).resolves({ Id: 'arn:change', StackId: 'arn:stack' });
  cloudFormation.on(DescribeChangeSetCommand).resolves({
    Status: 'CREATE_COMPLETE',
    Changes: [
      {
        ResourceChange: {
          Action: 'Modify',
          ResourceType: 'AWS::SQS::Queue',
          LogicalResourceId: 'Runs',
          Replacement: 'True',
        },
      },
    ],
  });
  cloudFormation.on(DescribeStackEventsCommand).resolves({ StackEvents: [] });
  cloudFormation.on(ExecuteChangeSetCommand).resolves({});
  cloudFormation.on(DeleteChangeSetCommand).resolves({});
  cloudFormation.on(DeleteStackCommand).resolves({});
});

const stack = (StackStatus: string) => ({
  ...{ StackName: 'flink-dispatch-x', StackId: 'arn:stack', CreationTime: new Date(0) },
  StackStatus: StackStatus as 'CREATE_COMPLETE',
  Parameters: [
    { ParameterKey: 'Stage', ParameterValue: 'mine' },
    { ParameterKey: 'CodeVersion', ParameterValue: '0-before' },
  ],
  Outputs: [{ OutputKey: 'LedgerBucketName', OutputValue: 'ledger' }],
});
const isThere = (status = 'CREATE_COMPLETE'): void => {
  cloudFormation.on(DescribeStacksCommand).resolves({ Stacks: [stack(status)] });
  cloudFormation.on(GetTemplateCommand).resolves({ TemplateBody: JSON.stringify(TEMPLATE) });
};
const isNot = (): void => {
  cloudFormation
    .on(DescribeStacksCommand)
    .rejectsOnce(new Error('Stack with id flink-dispatch-x does not exist'))
    .resolves({ Stacks: [stack('CREATE_COMPLETE')] });
};
const deploy = (...argv: string[]) =>
  runCli(['deploy', '--stack', 'flink-dispatch-x', '--release', folder, '--code-bucket', 'code', ...argv]);
const created = () => cloudFormation.commandCalls(CreateChangeSetCommand)[0]?.args[0].input;

describe('a stack that is new', () => {
  it('gets its stage from its name, and the release that the bucket of the account has', async () => {
    isNot();
    const { code, out } = await deploy('--config', config, '--tag', 'team=data', '--yes');
    expect(code).toBe(0);
    expect(out).toContain('flink-dispatch-x is at 1-abc');
    expect(created()).toMatchObject({
      ChangeSetType: 'CREATE',
      OnStackFailure: 'DELETE',
      Tags: [{ Key: 'team', Value: 'data' }],
      Parameters: [
        { ParameterKey: 'CodeBucket', ParameterValue: 'code' },
        { ParameterKey: 'CodeVersion', ParameterValue: '1-abc' },
        { ParameterKey: 'Stage', ParameterValue: 'x' },
      ],
    });
    expect(created()?.TemplateURL).toMatch(
      /^https:\/\/code\.s3\.eu-central-1\.amazonaws\.com\/flink-dispatch\/templates\//,
    );
    expect(s3.text('code/flink-dispatch/1-abc/onMessage.zip')).toBe('zip');
    expect(s3.text(`ledger/${CONFIG_KEY}`)).toBe(CONFIG);
  });

  it('needs a configuration that is good, before anything is asked of AWS', async () => {
    isNot();
    expect((await deploy('--yes')).err).toContain('the first deployment needs a configuration');
    const bad = join(folder, 'bad.yml');
    writeFileSync(bad, 'targets: {}');
    expect((await deploy('--config', bad, '--yes')).code).toBe(1);
    expect(cloudFormation.commandCalls(CreateChangeSetCommand)).toEqual([]);
  });

  it('takes no parameter that is not there, or that deploy sets', async () => {
    expect((await deploy('--parameter', 'Stag=x')).err).toContain('did you mean Stage?');
    expect((await deploy('--parameter', 'CodeBucket=x')).err).toContain('is set by deploy: --code-bucket');
    expect((await deploy('--parameter', 'Stage')).err).toContain('must be a name and a value: NAME=VALUE');
  });

  it('leaves nothing when it is not wanted', async () => {
    isNot();
    expect(await deploy('--config', config)).toMatchObject({ code: 1, out: '' });
    expect(cloudFormation.commandCalls(DeleteChangeSetCommand)).toHaveLength(1);
    expect(cloudFormation.commandCalls(DeleteStackCommand)).toHaveLength(1);
    expect(cloudFormation.commandCalls(ExecuteChangeSetCommand)).toEqual([]);
  });

  it('makes the bucket of its account, and takes none that is somebody else’s', async () => {
    isNot();
    stub.on(CreateBucketCommand).resolves({});
    const argv = ['deploy', '--stack', 'flink-dispatch-x', '--release', folder, '--config', config, '--yes'];
    await runCli(argv);
    expect(stub.commandCalls(CreateBucketCommand)[0]?.args[0].input).toEqual({
      Bucket: 'flink-dispatch-code-111122223333-eu-central-1',
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    });
    isNot();
    stub.on(HeadBucketCommand).rejects(failure(403));
    expect(await runCli(argv)).toMatchObject({
      code: 2,
      err: expect.stringContaining('is not of the account 111122223333') as string,
    });
    expect(stub.commandCalls(HeadBucketCommand)[0]?.args[0].input.ExpectedBucketOwner).toBe('111122223333');
  });
});

describe('a stack that is there', () => {
  it('keeps its parameters and its configuration, and says what would be lost', async () => {
    isThere();
    s3.store(`ledger/${CONFIG_KEY}`, CONFIG);
    const { code, err } = await deploy('--yes');
    expect(code).toBe(0);
    expect(created()?.ChangeSetType).toBe('UPDATE');
    expect(created()?.Parameters).toContainEqual({ ParameterKey: 'Stage', UsePreviousValue: true });
    expect(err).toContain('From 0-before to 1-abc\n');
    expect(err).toContain('What these hold may be lost: Runs');
  });

  it('says what would be lost with what goes', async () => {
    isThere();
    s3.store(`ledger/${CONFIG_KEY}`, CONFIG);
    const ResourceChange = { Action: 'Remove', ResourceType: 'AWS::SQS::Queue', LogicalResourceId: 'Older' } as const;
    cloudFormation.on(DescribeChangeSetCommand).resolves({ Status: 'CREATE_COMPLETE', Changes: [{ ResourceChange }] });
    expect((await deploy('--plan')).err).toContain('What these hold may be lost: Older');
  });

  it('is as it was when CloudFormation finds nothing to change', async () => {
    isThere();
    cloudFormation
      .on(DescribeChangeSetCommand)
      .resolvesOnce({ Status: 'CREATE_IN_PROGRESS' })
      .resolves({ Status: 'FAILED', StatusReason: "The submitted information didn't contain changes." });
    expect((await deploy('--config', config, '--yes')).code).toBe(0);
    expect(cloudFormation.commandCalls(ExecuteChangeSetCommand)).toEqual([]);
    expect(s3.text(`ledger/${CONFIG_KEY}`)).toBe(CONFIG);
  });

  it('that goes back tells what failed, and leaves the configuration as it was', async () => {
    isThere();
    const events = [
      ['e3', 'Messages', 'CREATE_FAILED', 'Resource creation cancelled'],
      ['e2', 'Runs', 'UPDATE_FAILED', 'no such key'],
      ['e1', 'Old', 'UPDATE_FAILED', 'of another time'],
    ].map(([EventId, LogicalResourceId, ResourceStatus, ResourceStatusReason]) => ({
      ...{ EventId, LogicalResourceId, ResourceStatus: ResourceStatus as 'UPDATE_FAILED', ResourceStatusReason },
      ...{ StackId: 'arn:stack', StackName: 'x', Timestamp: new Date(0), ResourceType: 'AWS::SQS::Queue' },
    }));
    cloudFormation.on(ExecuteChangeSetCommand).callsFake(() => {
      cloudFormation.on(DescribeStackEventsCommand).resolves({ StackEvents: events });
      cloudFormation
        .on(DescribeStacksCommand)
        .resolvesOnce({ Stacks: [stack('UPDATE_ROLLBACK_IN_PROGRESS')] })
        .resolves({ Stacks: [stack('UPDATE_ROLLBACK_COMPLETE')] });
      return Promise.resolve({});
    });
    cloudFormation.on(DescribeStackEventsCommand).resolves({ StackEvents: events.slice(2) });
    const { code, err } = await deploy('--config', config, '--yes');
    expect(code).toBe(1);
    expect(err).toMatch(/UPDATE_ROLLBACK_COMPLETE: .*\nRuns \(AWS::SQS::Queue\): no such key\n$/);
    expect(s3.text(`ledger/${CONFIG_KEY}`)).toBeUndefined();
  });

  it.each([
    ['UPDATE_IN_PROGRESS', 'wait for its end'],
    ['ROLLBACK_COMPLETE', 'flink-dispatch uninstall'],
  ])('in the state %s is left alone: %s', async (status, fix) => {
    isThere(status);
    expect((await deploy('--config', config, '--yes')).err).toContain(fix);
  });

  it('does not overwrite a configuration that came meanwhile', async () => {
    isThere();
    s3.before(/put config/, () => Promise.resolve(s3.store(`ledger/${CONFIG_KEY}`, 'theirs')));
    const { code, err } = await deploy('--config', config, '--yes');
    expect(code).toBe(1);
    expect(err).toContain('somebody else has stored another configuration meanwhile');
    expect(s3.text(`ledger/${CONFIG_KEY}`)).toBe('theirs');
  });
});

describe('a release for other means', () => {
  const to = join(folder, 'written');
  const write = (...argv: string[]) =>
    runCli(['deploy', '--stack', 'flink-dispatch-x', '--release', folder, '--config', config, '--to', to, ...argv]);
  const written = () => JSON.parse(readFileSync(join(to, 'template.json'), 'utf8')) as typeof TEMPLATE;

  it('has the rights of the configuration, and what was said of parameters; AWS is not asked', async () => {
    writeFileSync(config, `${CONFIG}allow: { jarBuckets: [of-team-a] }\n`);
    expect((await write('--parameter', 'Stage=mine')).code).toBe(0);
    expect(written().Parameters).toMatchObject({ CodeVersion: { Default: '1-abc' }, Stage: { Default: 'mine' } });
    expect(JSON.stringify(written().Resources)).toContain('of-team-a');
    expect(readdirSync(to).toSorted()).toEqual(['dispatch.yml', 'onMessage.zip', 'template.json']);
    expect(readFileSync(join(to, 'dispatch.yml'), 'utf8')).toBe(readFileSync(config, 'utf8'));
    expect([...cloudFormation.calls(), ...stub.calls(), ...sts.calls()]).toEqual([]);
  });

  it('takes the place of the one before, and of nothing else', async () => {
    writeFileSync(join(to, 'older.zip'), 'zip');
    expect((await write()).code).toBe(0);
    expect(written().Parameters.Stage).toMatchObject({ Default: 'x' });
    expect(readdirSync(to)).not.toContain('older.zip');
    writeFileSync(join(to, 'main.tf'), '');
    expect(await write()).toMatchObject({ code: 2, err: expect.stringContaining('such as main.tf') as string });
    expect((await write('--parameter', 'CodeBucket=b')).err).toContain('--code-bucket');
  });
});
