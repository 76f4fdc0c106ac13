import { redactJson, redactText } from './redact.ts';

/** JSON by its structure when it is JSON, any other text by its patterns; as it came when it holds no secret. */
export function redactDocument(text: string, contentType: string): string {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType)) return redactText(text);
  try {
    const value: unknown = JSON.parse(text);
    const redacted = JSON.stringify(redactJson(value));
    return redacted === JSON.stringify(value) ? text : redacted;
  } catch {
    return redactText(text);
  }
}
