import { describe, expect, it } from 'vitest';
import { MetadataError } from '../../../lib/state/metadata/cursor.ts';
import { readMetadata } from '../../../lib/state/metadata/read-metadata.ts';
import { flinkMetadata } from '../../fakes/flink-metadata.ts';
import { FLINKS, metadataOf, saidBy, SNAPSHOTS } from './recorded.ts';

const ID = 'ab'.repeat(16);
const VERSIONS = { '1.20.0': 4, '2.3.0': 6 };

describe.each(FLINKS)('the metadata of Flink %s', (flink) => {
  it.each(SNAPSHOTS)('of %s is read as Flink reads it', (snapshot) => {
    const { version, ...content } = readMetadata(metadataOf(flink, snapshot));
    expect(version).toBe(VERSIONS[flink]);
    expect(content).toEqual(saidBy(flink, snapshot));
  });

  it('that is cut anywhere is none', () => {
    for (const snapshot of SNAPSHOTS) {
      const bytes = metadataOf(flink, snapshot);
      const properties = bytes.indexOf(Buffer.from('aced0005', 'hex'), bytes.lastIndexOf('CheckpointProperties') - 40);
      for (let length = 0; length < properties + 4; length += 61) {
        expect(() => readMetadata(bytes.subarray(0, length)), `${snapshot}, ${length} bytes`).toThrow(MetadataError);
      }
    }
  });
});

/** Of the snapshots without channel state, which versions differ in: as an older version has it. */
function older(bytes: Buffer, version: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeInt32BE(version, 4);
  return copy;
}

describe('metadata', () => {
  it('of version 5 has the names, and that of version 3 no properties', () => {
    const newer = metadataOf('2.3.0', 'heap');
    expect(readMetadata(older(newer, 5))).toEqual({ ...readMetadata(newer), version: 5 });
    const bytes = flinkMetadata(7, [ID]);
    expect(readMetadata(older(bytes.subarray(0, -4), 3))).toEqual({ ...readMetadata(bytes), version: 3 });
    expect(() => readMetadata(older(bytes, 3))).toThrow('4 bytes follow the operators, at byte');
  });

  it('of versions that nobody reads, and what is none, is refused with the reason', () => {
    const bytes = flinkMetadata(7);
    expect(() => readMetadata(older(bytes, 2))).toThrow(
      'its format is version 2; versions 3 to 6 can be read, at byte 8',
    );
    expect(() => readMetadata(older(bytes, 7))).toThrow('version 7');
    expect(() => readMetadata(Buffer.from('<html>not found</html>'))).toThrow(
      'does not begin as metadata of Flink does',
    );
    expect(() => readMetadata(Buffer.alloc(0))).toThrow('the file ends 4 bytes too early, at byte 0');
  });

  it('that claims more than there is takes no memory for it', () => {
    for (const at of [16, 20, 51, 56]) {
      const bytes = flinkMetadata(7, [ID]);
      bytes.writeInt32BE(0x7fffffff, at);
      expect(() => readMetadata(bytes), `at ${at}`).toThrow(MetadataError);
    }
    const many = flinkMetadata(
      7,
      Array.from({ length: 10_001 }, () => ID),
    );
    expect(() => readMetadata(many)).toThrow('10001 operators are more than 10000');
  });

  it('with handles in handles without end is refused before the stack is', () => {
    const [head, tail] = [flinkMetadata(7, [ID]).subarray(0, 48), Buffer.alloc(9)];
    const nested = Array.from({ length: 20_000 }, () => Buffer.from('030000000000000000', 'hex'));
    expect(() => readMetadata(Buffer.concat([head, ...nested, tail]))).toThrow('lies more than 8 deep in others');
  });

  it.each(FLINKS)('of Flink %s, changed in any byte, is read or refused', (flink) => {
    for (const snapshot of SNAPSHOTS) {
      const bytes = metadataOf(flink, snapshot);
      for (let at = 0; at < bytes.length; at += 23) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        try {
          readMetadata(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(MetadataError);
        }
      }
    }
  });
});
