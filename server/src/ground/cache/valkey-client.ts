import { createClient, defineScript, RESP_TYPES } from '@redis/client'
import type { Secret } from '../crypto/secret.ts'
import { HEAD_LENGTH } from './sealed-entry.ts'

/** In one step: only upward. An entry with the same versions may have been read later, so it is written. */
const putUpward = defineScript({
  SCRIPT: `
    if redis.call('GETRANGE', KEYS[1], 0, ${HEAD_LENGTH - 1}) > string.sub(ARGV[1], 1, ${HEAD_LENGTH}) then return 0 end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1`,
  NUMBER_OF_KEYS: 1,
  parseCommand(parser, key: string, value: Buffer, keepMs: number) {
    parser.pushKey(key)
    parser.push(value, String(keepMs))
  },
  transformReply: (reply: unknown) => reply,
})

const countOne = defineScript({
  SCRIPT: `
    local count = redis.call('INCR', KEYS[1])
    if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
    return { count, redis.call('PTTL', KEYS[1]) }`,
  NUMBER_OF_KEYS: 1,
  parseCommand(parser, key: string, windowMs: number) {
    parser.pushKey(key)
    parser.push(String(windowMs))
  },
  transformReply: (reply: unknown) => reply,
})

/** A client of Valkey or Redis that never waits for a connection: what cannot be sent at once fails. */
export function createValkeyClient(url: Secret) {
  return createClient({
    url: url.revealText().replace(/^valkey/, 'redis'),
    name: 'pie',
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    // A connection that has gone silent is given up and made anew.
    pingInterval: 2_000,
    scripts: { putUpward, countOne },
    socket: {
      connectTimeout: 2_000,
      socketTimeout: 6_000,
      reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 1_000),
    },
  })
}

/** The same client, whose values come as bytes. */
export const asBinary = (client: ReturnType<typeof createValkeyClient>) =>
  client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
