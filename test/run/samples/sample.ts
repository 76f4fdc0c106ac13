import type { Sample } from '../../../lib/run/samples/sample.ts';

export const SOURCE = 'a'.repeat(32);
export const SINK = 'b'.repeat(32);

interface Changes {
  readonly name?: string;
  readonly parallelism?: number;
  readonly records?: number;
  readonly busy?: number;
  readonly watermark?: number;
}

/** A source that measures no busy time, and a sink behind it. */
export function sampleAt(at: number, changes: Changes = {}): Sample {
  const { name = 'orders', parallelism = 2, records = 0, busy = 0, watermark } = changes;
  return {
    at,
    job: {
      id: 'c'.repeat(32),
      name,
      vertices: [
        { id: SOURCE, name: 'Source', parallelism: 1, inputs: [] },
        { id: SINK, name: 'Sink', parallelism, inputs: [{ id: SOURCE, ship: 'HASH' }] },
      ],
    },
    counts: [
      { recordsIn: 0, recordsOut: records, bytesIn: 0, bytesOut: records * 10 },
      {
        ...{ recordsIn: records, recordsOut: 0, bytesIn: records * 10, bytesOut: 0 },
        ...{ busy, idle: 0, backPressured: 0 },
        ...(watermark !== undefined && { watermark }),
      },
    ],
  };
}
