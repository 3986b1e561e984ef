import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Refusal, type RefusalCode, refusals } from '../../ground/errors.ts'
import { describeProblem, statusOf } from './problem.ts'

const codes = Object.keys(refusals) as RefusalCode[]
const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
/** The sections of docs/errors.md, each headed by a code: `## not_found`. */
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [heading = '', ...text] = section.split('\n')
    return { code: heading.replaceAll('`', '').trim(), text: text.join('\n').trim() }
  })

describe('the catalogue of errors', () => {
  test('has a status for each code, and no status without a code', () => {
    assert.ok(codes.length >= 20)
    assert.deepEqual(Object.keys(statusOf).toSorted(), codes.toSorted())
    for (const status of Object.values(statusOf)) assert.ok(status >= 400 && status < 600)
  })

  test('is explained code by code in docs/errors.md, which explains nothing else', () => {
    assert.deepEqual(sections.map(({ code }) => code).toSorted(), codes.toSorted())
  })

  test('is explained with the status that each code comes with', () => {
    for (const { code, text } of sections) {
      assert.ok(text.length > 20, `the section of ${code} says nothing`)
      assert.ok(text.includes(String(statusOf[code as RefusalCode])), `${code} without its status`)
    }
  })

  test('has codes that are words, and sentences that say no more than they should', () => {
    for (const code of codes) {
      assert.match(code, /^[a-z]+(_[a-z]+)*$/)
      assert.match(refusals[code], /^[A-Z].*\.$/)
    }
  })

  test('becomes a problem answer of these members alone, whatever happened inside', () => {
    for (const code of codes) {
      const refusal = new Refusal(code, { cause: new Error('at /srv/pie: select secret') })
      assert.deepEqual(describeProblem(refusal), {
        type: `urn:pie:error:${code}`,
        title: refusals[code],
        status: statusOf[code],
        code,
        ...(code.startsWith('csrf_token_') && { csrf_token_url: '/auth/csrf' }),
      })
    }
  })
})
