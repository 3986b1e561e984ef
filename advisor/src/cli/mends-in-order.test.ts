import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../lint/finding.ts'
import type { Weight } from '../lint/weight.ts'
import { mendsInOrder } from './mends-in-order.ts'

const finding = (rule: string, weight: Weight, mend: string): Finding => ({
  ...{ rule, weight, mend, object: 'table app.notes', why: 'Why.', detail: null },
})

/** The statements of a batch that run. */
const statementsOf = (...findings: Finding[]): string[] =>
  mendsInOrder(findings)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('--'))

test('what revokes and grants again runs before what only revokes, however light it is', () => {
  const again = 'revoke update on app.notes from web;\ngrant update (body) on app.notes to web;'
  assert.deepEqual(
    statementsOf(
      finding('grant-to-login-role', 'hole', 'revoke all on app.notes from web;'),
      finding('update-on-whole-table', 'style', again),
    ),
    [...again.split('\n'), 'revoke all on app.notes from web;'],
  )
})

test('what was given again since it was revoked is revoked once more', () => {
  const revoke = 'revoke update on app.notes from web;'
  const again = `${revoke}\ngrant update (body) on app.notes to web;`
  assert.deepEqual(
    statementsOf(
      finding('grant-without-policy', 'style', revoke),
      finding('update-on-whole-table', 'style', again),
    ),
    [...again.split('\n'), revoke],
  )
})

test('of two that grant, the graver has the last word', () => {
  const grant = (columns: string) => `grant update (${columns}) on app.notes to web;`
  assert.deepEqual(
    statementsOf(
      finding('update-on-whole-table', 'hole', grant('body')),
      finding('select-lists-columns', 'style', grant('body, role')),
    ),
    [grant('body, role'), grant('body')],
  )
})

test('a function is written anew before anything is said of it', () => {
  const anew = 'create or replace function app.f() returns int language sql as $$ select 1 $$;'
  assert.deepEqual(
    statementsOf(
      finding('volatile-that-only-reads', 'slow', 'alter function app.f() stable;'),
      finding('plpgsql-that-could-be-sql', 'style', anew),
    ),
    [anew, 'alter function app.f() stable;'],
  )
})

test('an extension moves when all that names its types is done', () => {
  const move = 'alter extension citext set schema extensions;'
  assert.deepEqual(
    statementsOf(
      finding('extension-in-public', 'hole', move),
      finding('policy-without-grant', 'style', 'drop policy own on app.notes;'),
    ),
    ['drop policy own on app.notes;', move],
  )
})

test('what somebody else has to run stands last, in comments', () => {
  const batch = mendsInOrder([
    finding('role-above', 'hole', '-- as a superuser\nalter role web nobypassrls;'),
    finding('default', 'leak', '-- as builder\nalter default privileges revoke all on tables;'),
    finding('grant', 'style', 'revoke all on app.notes from web;'),
  ])
  assert.ok(batch.startsWith('-- grant: table app.notes\nrevoke all'))
  assert.ok(batch.endsWith('-- as builder\n-- alter default privileges revoke all on tables;'))
  assert.match(batch, /\n-- as a superuser\n-- alter role web nobypassrls;\n/)
})
