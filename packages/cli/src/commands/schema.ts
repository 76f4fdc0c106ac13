import config from '../../../../docs/schemas/config.v1.json' with { type: 'json' };
import deploymentEvent from '../../../../docs/schemas/deployment-event.v1.json' with { type: 'json' };
import job from '../../../../docs/schemas/job.v1.json' with { type: 'json' };
import message from '../../../../docs/schemas/message.v1.json' with { type: 'json' };
import runEvent from '../../../../docs/schemas/run-event.v1.json' with { type: 'json' };
import { nearest } from '../../../../lib/core/nearest.ts';
import type { Execute } from '../command.ts';
import { UsageError } from '../flags/usage.ts';
import { printJson } from '../terminal/io.ts';

const SCHEMAS: Readonly<Record<string, unknown>> = {
  job,
  config,
  message,
  'run-event': runEvent,
  'deployment-event': deploymentEvent,
};

/** Prints a schema of docs/schemas. */
export const execute: Execute = (io, { args }) => {
  const [name, ...more] = args;
  const known = Object.keys(SCHEMAS);
  if (name === undefined || more.length > 0) throw new UsageError(`schema <${known.join(' | ')}>`);
  if (!Object.hasOwn(SCHEMAS, name)) {
    const near = nearest(name, known);
    const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
    throw new UsageError(`There is no schema ${name}; ${hint}`);
  }
  printJson(io, SCHEMAS[name]);
  return Promise.resolve(0);
};
