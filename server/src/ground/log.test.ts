import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { pino } from 'pino'
import { Secret } from './crypto/secret.ts'
import { logOptions } from './log.ts'

function linesOf(work: (log: pino.Logger) => void): string {
  const lines: string[] = []
  work(pino(logOptions('info'), { write: (line: string) => void lines.push(line) }))
  return lines.join('')
}

test('an error is logged with its reason, without the connection and the row it came from', () => {
  const cause = Object.assign(new pg.DatabaseError('duplicate key', 1, 'error'), {
    code: '23505',
    detail: 'Key (email)=(ada@example.com) already exists.',
    client: { password: 'hidden' },
  })
  const line = linesOf((log) =>
    log.error({ err: new Error('failed', { cause }) }, 'request failed'),
  )
  const { err } = JSON.parse(line)
  assert.equal(err.message, 'failed')
  assert.deepEqual([err.cause.code, err.cause.message], ['23505', 'duplicate key'])
  assert.doesNotMatch(line, /ada@example\.com|hidden/)
})

test('a secret prints as [secret] wherever it turns up', () => {
  const secret = Secret.fromText('opens everything')
  const line = linesOf((log) => log.info({ secret, inside: { secret } }, `${secret}`))
  assert.doesNotMatch(line, /opens everything/)
  assert.equal(JSON.parse(line).inside.secret, '[secret]')
  assert.equal(JSON.parse(line).msg, '[secret]')
})
