/** Text as JSON: escapes what SQS and SNS refuse in a body and JSON.stringify leaves as it is. */
export function toWireJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\uFFFE\uFFFF]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}

/** Replaces what SQS and SNS refuse: control characters, lone surrogates, U+FFFE and U+FFFF. */
export function toWireText(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu, '\uFFFD');
}

/** The text, or as much of its beginning as fits into `bytes` bytes of UTF-8 with `marker` at its end. */
export function cutUtf8(text: string, bytes: number, marker: string): string {
  const all = Buffer.from(text, 'utf8');
  if (all.length <= bytes) return text;
  let end = Math.max(0, bytes - Buffer.byteLength(marker, 'utf8'));
  // do not end inside a character
  while (end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return all.toString('utf8', 0, end) + marker;
}
