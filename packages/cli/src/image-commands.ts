import type { Command } from './command.ts';
import { COMMON, GENERAL, LEDGER, VERSION_AND_DRY_RUN } from './flags/flag-sets.ts';

export const IMAGE_COMMANDS: readonly Command[] = [
  {
    name: 'image warm',
    synopsis: '[OPTIONS] <image>',
    summary: 'Record which classes Flink loads in an image, so that jobs with fastStart start sooner.',
    flags: [
      { long: 'for', takes: 'value', value: 'target', help: 'The target whose runs use it; default: default.' },
      { long: 'tenant', takes: 'value', value: 'name', help: 'The tenant whose runs use it.' },
      ...VERSION_AND_DRY_RUN.filter(({ long }) => long === 'flink-version'),
      ...LEDGER,
      ...GENERAL,
      ...COMMON,
    ],
    examples: [
      'image warm flink:2.3.0 -Dkubernetes.namespace=jobs -Dkubernetes.service-account=flink --ledger my-ledger',
      'image warm registry.acme.com/jobs@sha256:… --for eu --tenant payments --stack flink-dispatch-prod',
    ],
    notes:
      'One pod of the image runs for a minute or two, in the namespace and with the account of the options; nothing of it\n' +
      'stays. Name the image as the jobs name it. An image that is pushed anew under the same name needs it again.',
    load: async () => ({ execute: (await import('./commands/image.ts')).warm }),
  },
];
