import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { SCHEMAS } from '../../infra/docs/schemas.ts';

/** A validator that shares nothing with the code, nor with another one of the same schema. */
export function validatorOf(name: string): (value: unknown) => readonly string[] {
  const ajv = new Ajv({ allErrors: true, strictTypes: false, allowUnionTypes: true });
  addFormats.default(ajv);
  const validate = ajv.compile(SCHEMAS[name]?.() ?? {});
  return (value) => {
    validate(value);
    return (validate.errors ?? []).map(({ instancePath, message = '', params }) => {
      const extra = params['additionalProperty'] as string | undefined;
      return `${instancePath} ${message}${extra === undefined ? '' : ` ${extra}`}`.trim();
    });
  };
}
