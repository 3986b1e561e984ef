interface Sending {
  stream: { writable: boolean; write(bytes: Buffer): boolean }
}

/**
 * Sends all messages that are written to a connection of pg's meanwhile as one piece. Corking the stream would
 * hand the kernel each of them apart, some twenty, which takes longer than joining them.
 */
export function writeAtOnce<Connection extends Sending>(
  connection: Connection,
  write: (connection: Connection) => void,
): void {
  const pieces: Buffer[] = []
  const stream = { writable: true, write: (piece: Buffer) => pieces.push(piece) > 0 }
  write(Object.create(connection, { stream: { value: stream } }) as Connection)
  if (connection.stream.writable) connection.stream.write(Buffer.concat(pieces))
}
