import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { cloneDatabase, type TestDatabase } from '../../../../test/harness/cluster.ts'
import { Secret } from '../crypto/secret.ts'
import { createLog } from '../log.ts'
import { pinnedSettings, pinningOptions } from './pinned-settings.ts'
import { openDatabase } from './pool.ts'

describe('what the options of an address say', () => {
  test('counts on every connection, in every form that libpq has', () => {
    for (const given of [
      '-c statement_timeout=60s',
      '-cstatement_timeout=60s',
      '--statement_timeout=60s',
      '--statement-timeout=60s',
      '-c geqo=off -c statement_timeout=60s',
    ])
      assert.equal(pinnedSettings('any', given)['statement_timeout'], '60s', given)
    assert.equal(pinnedSettings('any')['statement_timeout'], undefined)
  })

  test('does not come before what Pie’s answers stand on', () => {
    const settings = pinnedSettings(
      'own',
      '-c datestyle=German -c search_path=evil -c work_mem=1MB',
    )
    assert.equal(settings['datestyle'], 'ISO, MDY')
    assert.equal(settings['search_path'], 'pg_catalog, pg_temp')
    assert.equal(settings['work_mem'], '1MB')
  })

  test('may have blanks and backslashes in it', () => {
    const { application_name: name } = pinnedSettings(
      'any',
      String.raw`-c application_name=a\ b\\c`,
    )
    assert.equal(name, String.raw`a b\c`)
    assert.match(pinningOptions({ application_name: 'a b' }), /^-c application_name=a\\ b$/)
  })

  test('is left to the owner’s connections as it is', () => {
    assert.equal(
      pinnedSettings('owners', '-c statement_timeout=60s')['statement_timeout'],
      undefined,
    )
    assert.equal(pinnedSettings('owners')['datestyle'], 'ISO, MDY')
  })
})

describe('on a connection of requests', () => {
  let clone: TestDatabase
  before(async () => {
    clone = await cloneDatabase()
  })
  after(() => clone?.drop())

  for (const poolMode of ['session', 'transaction'] as const)
    for (const [options, expected] of [
      ['', '0'],
      ['-c statement_timeout=60s', '1min'],
    ] as const)
      test(`${poolMode}: statement_timeout is ${expected} with the options "${options}"`, async () => {
        const url = new URL(clone.url)
        if (options !== '')
          url.search = new URLSearchParams({ options }).toString().replaceAll('+', '%20')
        const database = openDatabase(Secret.fromText(url.href), createLog('silent', false), {
          poolMode,
        })
        try {
          const reset = { name: '', text: 'reset all', values: [] }
          const show = {
            name: '',
            text: `select current_setting('statement_timeout') as value, current_setting('datestyle') as dates`,
            values: [],
          }
          const before = poolMode === 'session' ? [reset] : []
          const rows = await database.send(...before, show)
          assert.deepEqual(rows.at(-1), [{ value: expected, dates: 'ISO, MDY' }])
        } finally {
          await database.pool.end()
        }
      })
})
