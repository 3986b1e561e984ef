/** How lint ends, by weight; what it refuses to be asked; and reports that are saved and shown later. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Weight } from '../../advisor/src/lint/weight.ts'
import { weights } from '../../advisor/src/lint/weight.ts'
import { runAdvisor } from '../harness/advisor.ts'
import { runPie } from '../harness/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'pie-lint-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const lint = (...args: string[]) => runAdvisor(['lint', ...args], {}, directory)

function save(...found: Weight[]): string {
  const file = join(directory, `${found.join('-') || 'nothing'}.json`)
  const findings = found.map((weight) => ({
    ...{ rule: `of-${weight}`, weight, object: 'table app.notes', why: 'So.', detail: null },
    mend: 'select 1;',
  }))
  writeFileSync(file, JSON.stringify({ schemas: ['app'], findings, accepted: 0, unseen: [] }))
  return file
}

test('it ends with 1 where a finding has the weight of --fail-on, or a graver one', async () => {
  for (const [position, found] of weights.entries()) {
    const file = save(found)
    const codes = await Promise.all(
      weights.map(async (weight) => (await lint('--from', file, '--fail-on', weight)).code),
    )
    const expected = weights.map((_, limit) => (position <= limit ? 1 : 0))
    assert.deepEqual(codes, expected, found)
  }
})

test('without --fail-on everything but style fails; with never, nothing does', async () => {
  assert.equal((await lint('--from', save('slow'))).code, 1)
  assert.equal((await lint('--from', save('style'))).code, 0)
  assert.equal((await lint('--from', save())).code, 0)
  assert.equal((await lint('--from', save('hole'), '--fail-on', 'never')).code, 0)
})

test('what it cannot be asked is said before anything is looked at, and is not 1', async () => {
  // Nobody listens there: who had looked would say so.
  const nowhere = 'postgres://nobody@127.0.0.1:1/none'
  const saved = save('hole')
  for (const [args, message] of [
    [[nowhere, '--json', '--sarif'], /One output at a time: --json and --sarif .* --from report/],
    [[nowhere, '--markdown', '--mends', '--json'], /--json and --markdown and --mends/],
    [[nowhere, '--fail-on', 'bad'], /'bad' is invalid.*hole, leak, failure, slow, style, never/],
    [[nowhere, '--preset', 'firebase'], /'firebase' is invalid.*supabase, postgrest, pie, none/],
    [[nowhere, '--xml'], /unknown option '--xml'/],
    [[nowhere, '--sarif-file', 'x.sql'], /--sarif-file is for --sarif/],
    [[nowhere, '--sarif', '--sarif-file', '/etc/passwd'], /below the directory/],
    [['--from', saved, '--schema', 'app'], /--schema is for looking at a database/],
    [['--from', saved, '--style'], /--style is for looking/],
    [['--from', saved, nowhere], /it takes no address/],
    [['--from', 'gone.json'], /Could not read gone\.json/],
    [['postgres:/nowhere', '--role'], /argument missing/],
    [[nowhere], /Could not connect to 127\.0\.0\.1:1/],
  ] as const) {
    const { code, stdout, stderr } = await lint(...args)
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, args.join(' '))
    assert.match(stderr, message)
  }
})

test('a file that is no report is none', async () => {
  const file = join(directory, 'other.json')
  const good = JSON.parse(readFileSync(save('hole'), 'utf8'))
  for (const other of [
    '[',
    null,
    [],
    {},
    { ...good, schemas: [7] },
    { ...good, findings: [{ ...good.findings[0], weight: 'grave' }] },
    { ...good, findings: [{ ...good.findings[0], mend: null }] },
    { ...good, unseen: undefined },
  ]) {
    writeFileSync(file, typeof other === 'string' ? other : JSON.stringify(other))
    const { code, stdout } = await lint('--from', file)
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, JSON.stringify(other))
  }
})

test('a report goes into a file as into standard output, and is counted on standard error', async () => {
  const saved = save('hole', 'slow')
  for (const format of ['--json', '--sarif', '--markdown', '--mends']) {
    const { stdout } = await lint('--from', saved, format)
    const { code, ...said } = await lint('--from', saved, format, '--output', 'report')
    assert.deepEqual(said, { stdout: '', stderr: 'report: 1 hole, 1 slow\n' })
    assert.equal(code, 1)
    assert.equal(readFileSync(join(directory, 'report'), 'utf8'), stdout)
  }
  const nowhere = await lint('--from', saved, '--output', 'no/such/folder')
  assert.equal(nowhere.code, 2)
  assert.match(nowhere.stderr, /Could not write no\/such\/folder/)
})

test('pie lint shows a saved report too, and has no roles to be told', async () => {
  const settings = { DATA_DIR: directory }
  const shown = await runPie(['lint', '--from', save('leak')], settings)
  assert.equal(shown.code, 1)
  assert.match(shown.stdout, /^LEAK: /)
  const { stderr } = await runPie(['lint', '--role', 'web'], settings)
  assert.match(stderr, /unknown option '--role'/)
})
