/** The beginning of a `_metadata` file, as Flink writes it: magic number, version of the format, id; then something. */
export function flinkMetadata(checkpointId: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeInt32BE(0x4960672d, 0);
  bytes.writeInt32BE(4, 4);
  bytes.writeBigInt64BE(BigInt(checkpointId), 8);
  return bytes;
}
