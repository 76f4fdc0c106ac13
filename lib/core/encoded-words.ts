/** One encoded word of RFC 2047, with RFC 2231's language: `=?charset*language?encoding?text?=`. */
const WORD = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?([^?\s]*)\?=/gi;
/** Words side by side: what is between them is no part of the text. */
const WORDS = /(?<!\S)=\?[^?\s]+\?[bq]\?[^?\s]*\?=(?:\s+=\?[^?\s]+\?[bq]\?[^?\s]*\?=)*(?!\S)/gi;

/**
 * A value of S3's user metadata as its author wrote it. S3 gives what is not ASCII as encoded words of RFC 2047, and
 * takes the bytes of a header for Latin-1 first; others give the bytes as they came. What is no such word stays.
 */
export function decodeMetadata(value: string): string {
  return asUtf8(value.replace(WORDS, decodeWords));
}

function decodeWords(words: string): string {
  const parts: { charset: string; bytes: Buffer }[] = [];
  for (const [, charset = '', encoding = '', text = ''] of words.matchAll(WORD)) {
    const bytes = /b/i.test(encoding) ? Buffer.from(text, 'base64') : quotedBytes(text);
    const last = parts.at(-1);
    // A character of several bytes may be cut between two words.
    if (last?.charset === charset.toLowerCase()) last.bytes = Buffer.concat([last.bytes, bytes]);
    else parts.push({ charset: charset.toLowerCase(), bytes });
  }
  const texts = parts.map(({ charset, bytes }) => decode(charset, bytes));
  return texts.some((text) => text === undefined) ? words : texts.join('');
}

function quotedBytes(text: string): Buffer {
  const latin = text
    .replaceAll('_', ' ')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(latin, 'latin1');
}

function decode(charset: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** UTF-8 that was taken for Latin-1. */
function asUtf8(text: string): string {
  const codes = Array.from(text, (char) => char.codePointAt(0) ?? 0);
  if (codes.every((code) => code < 0x80) || codes.some((code) => code > 0xff)) return text;
  return decode('utf-8', Buffer.from(text, 'latin1')) ?? text;
}
