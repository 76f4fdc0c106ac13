import * as fc from 'fast-check';

/** One change to a recording: where (taken modulo what there is), what, and with what. */
export interface Mutation {
  readonly kind: 'remove' | 'replace' | 'wrap' | 'repeat' | 'add';
  readonly at: number;
  readonly value: unknown;
}

/** What breaks readers: wrong types, sizes beyond reason, keys that reach into prototypes, text that means more. */
const NASTY: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  Number.MAX_SAFE_INTEGER,
  1e308,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  'NaN',
  '-0',
  '1e999',
  '2026-13-45T99:99:99Z',
  '9'.repeat(400),
  'a'.repeat(70_000),
  '../'.repeat(50),
  '${jndi:ldap://127.0.0.1/a}',
  '{{scheduledTime}}{{',
  '%00%ff%',
  'file:///etc/passwd',
  '\n---\nkind: Secret\n',
  [],
  {},
  [[[[[[[[[[]]]]]]]]]],
  Array.from({ length: 3_000 }, (_, i) => i),
];

const POLLUTING = { polluted: 'grant', prototype: { polluted: 'grant' } };

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('remove', 'replace', 'wrap', 'repeat', 'add'),
  at: fc.nat(),
  value: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NASTY) }, fc.jsonValue({ maxDepth: 3 }), fc.string()),
});

/** JSON texts near the values of the corpus. */
export function nearJson(corpus: readonly unknown[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...corpus), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([value, mutations]) => JSON.stringify(mutations.reduce<unknown>(mutateJson, structuredClone(value))));
}

interface Place {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string;
}

/** Every member of a JSON value that can be changed. */
function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Record<string, unknown> | unknown[];
  return Object.entries(parent).flatMap(([key, member]) => [{ parent, key }, ...placesIn(member)]);
}

function mutateJson(root: unknown, { kind, at, value: shared }: Mutation): unknown {
  const value = structuredClone(shared);
  const places = placesIn(root);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return value;
  const parent = place.parent as Record<string, unknown>;
  const old = parent[place.key];
  if (kind === 'remove' && Array.isArray(parent)) parent.splice(Number(place.key), 1);
  else if (kind === 'remove') Reflect.deleteProperty(parent, place.key);
  else if (kind === 'add') define(parent, typeof value === 'string' ? value : '__proto__', structuredClone(POLLUTING));
  else parent[place.key] = kind === 'wrap' ? [old] : kind === 'repeat' ? [old, structuredClone(old)] : value;
  return root;
}

/** As JSON.parse does: a member of that name, never a prototype. */
function define(parent: object, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

const SPLINTERS = [
  '\u0000',
  '"',
  "'",
  '{',
  '}',
  '[',
  '&a ',
  '*a',
  '<<: ',
  '!!js/function ',
  '---\n',
  '\t',
  '\n',
  '\\',
  '%',
];

/** Texts near those of the corpus: cut, doubled, with splinters of syntax and nasty values in between. */
export function nearText(corpus: readonly string[]): fc.Arbitrary<string> {
  const edit = fc.record({
    kind: fc.constantFrom('cut', 'insert', 'double', 'flip'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 200 }),
    text: fc.oneof(
      fc.constantFrom(...SPLINTERS),
      fc.constantFrom(...NASTY).map((nasty) => (typeof nasty === 'string' ? nasty : JSON.stringify(nasty))),
      fc.string(),
    ),
  });
  return fc.tuple(fc.constantFrom(...corpus), fc.array(edit, { minLength: 1, maxLength: 8 })).map(([text, edits]) =>
    edits.reduce((now, { kind, at, length, text: more }) => {
      const from = Math.floor(at * now.length);
      const part = now.slice(from, from + length);
      if (kind === 'cut') return now.slice(0, from) + now.slice(from + length);
      if (kind === 'insert') return now.slice(0, from) + more + now.slice(from);
      if (kind === 'double') return now.slice(0, from) + part.repeat(Math.min(50, length)) + now.slice(from);
      return now.slice(0, from) + part.split('').reverse().join('') + now.slice(from + length);
    }, text),
  );
}

/** Bytes near those of the corpus. */
export function nearBytes(corpus: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    kind: fc.constantFrom('cut', 'set', 'double'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    /** Most of what a zip reader trusts lies at its end. */
    fromEnd: fc.boolean(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  });
  return fc.tuple(fc.constantFrom(...corpus), fc.array(edit, { minLength: 1, maxLength: 6 })).map(([bytes, edits]) =>
    edits.reduce((now, { kind, at, fromEnd, bytes: more }) => {
      const from = fromEnd ? Math.max(0, now.length - 1 - Math.floor(at * 200)) : Math.floor(at * now.length);
      if (kind === 'cut') return Buffer.concat([now.subarray(0, from), now.subarray(from + more.length)]);
      if (kind === 'double') return Buffer.concat([now.subarray(0, from), now.subarray(0, 4096), now.subarray(from)]);
      const changed = Buffer.from(now);
      changed.set(more.subarray(0, Math.max(0, changed.length - from)), from);
      return changed;
    }, Buffer.from(bytes)),
  );
}
