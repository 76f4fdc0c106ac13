/** A `_metadata` file as Flink 1.20 writes it, of operators that have a byte of state each, by their ids. */
export function flinkMetadata(checkpointId: number, operators: readonly string[] = []): Buffer {
  const head = Buffer.alloc(24);
  head.writeInt32BE(0x4960672d, 0);
  head.writeInt32BE(4, 4);
  head.writeBigInt64BE(BigInt(checkpointId), 8);
  head.writeInt32BE(operators.length, 20);
  return Buffer.concat([head, ...operators.map(operator), Buffer.from('aced0005', 'hex')]);
}

/** In one subtask of 128 at most, with the byte in its coordinator. */
function operator(id: string): Buffer {
  return Buffer.from(`${id}0000000100000080${'01'}0000${'00000001ff'}00000000`, 'hex');
}
