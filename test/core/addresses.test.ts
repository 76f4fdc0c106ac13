import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { HIDDEN, redactText } from '../../lib/core/redaction/redact.ts';
import { parseFlinkVersion } from '../../lib/job/spec/flink-version.ts';
import { flinkRules } from '../../lib/flink/version.ts';
import { ecrRegion } from '../../lib/registry/ecr.ts';
import { parseImage } from '../../lib/registry/reference.ts';

describe('a version of Flink', () => {
  it.each([
    ['1.20.0-amzn-1', '1.20'],
    ['1.20.1-SNAPSHOT', '1.20'],
    ['1.20-SNAPSHOT', '1.20'],
    ['1.19.1-csa1.14.0.0', '1.19'],
    ['v2.0.0', '2.0'],
    ['V1_20', '1.20'],
    ['v1_20_1', '1.20'],
    ['2.1.0.dev0', '2.1'],
    ['2.3.0rc1', '2.3'],
    ['2.3.0+build.5', '2.3'],
    ['1.20.0_custom', '1.20'],
    ['1.19.1.4.2', '1.19'],
  ])('may be %s', (text, version) => {
    expect(parseFlinkVersion(text)).toBe(version);
    expect(flinkRules(text.replace(/^(v\d+)_/i, '$1.')).rank).toBe(flinkRules(version).rank);
  });

  it.each(['1.200', '1.18.1-amzn-0', '12.0', 'flink-1.20', '1', '', '1.20 or so'])('may not be %j', (text) => {
    expect(parseFlinkVersion(text)).toBeUndefined();
  });
});

describe('an address', () => {
  it.each([
    ['123456789012.dkr.ecr.eu-central-1.amazonaws.com', 'eu-central-1'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['123456789012.dkr-ecr.eu-west-1.on.aws', 'eu-west-1'],
    ['123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov', 'us-iso-east-1'],
    ['123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example', undefined],
    ['registry.example.com', undefined],
  ])('%s is a registry of AWS in %s', (host, region) => expect(ecrRegion(host)).toBe(region));

  it.each([
    ['https://bob:pa55@host/x', `https://${HIDDEN}@host/x`],
    ['http://bob:p@5:5@host:8081', `http://${HIDDEN}@host:8081`],
    ['http://bob:pa/55@proxy:8080', `http://${HIDDEN}@proxy:8080`],
    ['http://bob:pw/5#@proxy:8080/a', `http://${HIDDEN}@proxy:8080/a`],
    ['https://host:443/@scope/package', 'https://host:443/@scope/package'],
    ['socks5://bob:pa55@[fd00::1]:1080', `socks5://${HIDDEN}@[fd00::1]:1080`],
    ['https://ghp_0123456789abcdefghij@git.example/x.jar', `https://${HIDDEN}@git.example/x.jar`],
    ['https://b.example/a.jar?sig=0af1&x=1', `https://b.example/a.jar?sig=${HIDDEN}&x=1`],
    ['abfss://container-with-a-name@account.example', 'abfss://container-with-a-name@account.example'],
    ['https://host:8080/path@v1', 'https://host:8080/path@v1'],
    ['https://admin@host/x', 'https://admin@host/x'],
  ])('%s is shown as %s, in logs and in errors', (url, shown) => {
    expect(redactText(`at ${url}, now`)).toBe(`at ${shown}, now`);
    expect(new DispatchError('InvalidSpec', `at ${url}, now`).message).toBe(`at ${shown}, now`);
  });

  it('is not shown with its password where it is no name of an image', () => {
    const refused = (): unknown => parseImage('https://bob:pa55@registry.example/flink');
    expect(refused).toThrow('is no name of an image');
    expect(refused).not.toThrow('pa55');
  });
});
