import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aclReader } from './parse-acl.ts'

const read = aclReader(
  new Map([
    ['webuser', 10],
    ['we"b = /user', 11],
    ['2024', 12],
  ]),
)

test('grants, those to everybody, and the right to pass them on', () => {
  assert.deepEqual(read(['webuser=ar*/postgres', '=U/postgres']), [
    { grantee: 10, privilege: 'insert', isGrantable: false },
    { grantee: 10, privilege: 'select', isGrantable: true },
    { grantee: 0, privilege: 'usage', isGrantable: false },
  ])
  assert.deepEqual(read(null), [])
})

test('names of roles may hold everything, look like numbers, or be gone', () => {
  assert.deepEqual(
    read(['"we""b = /user"=X/"some/body"', '2024=X/postgres', '99999=X/postgres']).map(
      ({ grantee }) => grantee,
    ),
    [11, 12, 99999],
  )
})

test('equal lists are one', () => {
  assert.equal(read(['webuser=X/postgres']), read(['webuser=X/postgres']))
})
