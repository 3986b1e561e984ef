/** The action for GitHub and the hook for pre-commit: that they are what those take, and do what the guide says. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { parse } from 'yaml'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const actionDirectory = join(repository, 'advisor/action')

interface Step {
  id?: string
  if?: string
  uses?: string
  shell?: string
  run?: string
  env?: Record<string, string>
  with?: Record<string, string>
}

interface Action {
  name: string
  description: string
  inputs: Record<string, { description: string; required?: boolean; default?: string }>
  outputs: Record<string, { description: string; value: string }>
  runs: { using: string; steps: Step[] }
}

const action: Action = parse(readFileSync(join(actionDirectory, 'action.yml'), 'utf8'))
const version = JSON.parse(readFileSync(join(repository, 'advisor/package.json'), 'utf8')).version

const directory = mkdtempSync(join(tmpdir(), 'pie-action-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** Instead of asking the registry, npm finds the advisor of this repository; and notes what it was asked for. */
function makeNpm(): string {
  const path = join(directory, 'path')
  mkdirSync(path)
  const npm = join(path, 'npm')
  writeFileSync(
    npm,
    `#!/usr/bin/env bash
set -eu
echo "$@" > "$RUNNER_TEMP/npm-was-asked"
folder="$3"
mkdir -p "$folder/node_modules/.bin"
printf '#!/bin/sh\\nexec "%s" "%s" "$@"\\n' '${process.execPath}' '${join(repository, 'advisor/bin/advisor.js')}' > "$folder/node_modules/.bin/advisor"
chmod +x "$folder/node_modules/.bin/advisor"
`,
  )
  chmodSync(npm, 0o755)
  return path
}

const npmPath = makeNpm()

interface Ran {
  code: number
  log: string
  outputs: Record<string, string>
  summary: string
  /** What npm was asked. */
  npm: string
}

let runs = 0

/** Runs the step as GitHub's runner does, which puts inputs in the place of its expressions. */
async function runAction(inputs: Record<string, string>): Promise<Ran> {
  const step = action.runs.steps.find(({ id }) => id === 'lint')
  assert.ok(step?.run !== undefined && step.env !== undefined)
  runs += 1
  const temporary = join(directory, `run-${runs}`)
  const workspace = join(temporary, 'workspace')
  mkdirSync(workspace, { recursive: true })
  const files = {
    GITHUB_OUTPUT: join(temporary, 'output'),
    GITHUB_STEP_SUMMARY: join(temporary, 'summary'),
  }
  for (const file of Object.values(files)) writeFileSync(file, '')
  const given = Object.fromEntries(
    Object.entries(step.env).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, input: string) => {
        assert.ok(action.inputs[input] !== undefined, input)
        return inputs[input] ?? action.inputs[input].default ?? ''
      }),
    ]),
  )
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
    cwd: workspace,
    env: {
      PATH: [npmPath, dirname(process.execPath), process.env['PATH']].join(delimiter),
      RUNNER_TEMP: temporary,
      GITHUB_ACTION_PATH: actionDirectory,
      ...files,
      ...given,
    },
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  const asked = join(temporary, 'npm-was-asked')
  return {
    code: code as number,
    log: stdout + stderr,
    outputs: Object.fromEntries(
      readFileSync(files.GITHUB_OUTPUT, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
    summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8'),
    npm: existsSync(asked) ? readFileSync(asked, 'utf8') : '',
  }
}

describe('the action', () => {
  let database: TestDatabase
  before(async () => {
    database = await cloneDatabase()
    const owner = new pg.Client({ connectionString: database.url })
    await owner.connect()
    await owner.query(`
      create schema app; create schema "odd one";
      create table app.notes (id integer primary key);
      grant usage on schema app to webuser; grant select, delete on app.notes to webuser;
      create table "odd one"."::error::pwned
::set-output name=x::y" (id integer primary key)`)
    await owner.end()
  })
  after(() => database.drop())

  test('is one that GitHub takes, and puts no input into a script', () => {
    assert.equal(action.runs.using, 'composite')
    for (const { description } of [
      action,
      ...Object.values(action.inputs),
      ...Object.values(action.outputs),
    ])
      assert.equal(typeof description, 'string')
    for (const { run = '', shell, uses, if: condition = '' } of action.runs.steps) {
      assert.doesNotMatch(run, /\$\{\{/)
      assert.ok(run === '' ? /^[\w-]+\/[\w/-]+@v\d+$/.test(uses ?? '') : shell === 'bash')
      for (const [, input = ''] of condition.matchAll(/inputs\.([\w-]+)/g))
        assert.ok(action.inputs[input] !== undefined, input)
    }
    const written = readFileSync(join(actionDirectory, 'lint.sh'), 'utf8')
    for (const { value } of Object.values(action.outputs)) {
      const [, name] = /^\$\{\{ steps\.lint\.outputs\.(\w+) \}\}$/.exec(value) ?? []
      assert.match(written, new RegExp(`^ {2}echo "${name}=`, 'm'))
    }
    const variables = Object.keys(action.runs.steps.find(({ id }) => id === 'lint')?.env ?? {})
    for (const [, name = ''] of written.matchAll(/\$\{?(LINT_\w+)/g))
      assert.ok(variables.includes(name), name)
  })

  test('fails where something of the weight is found, and leaves the report in every form', async () => {
    const { code, log, outputs, summary, npm } = await runAction({
      ...{ 'database-url': database.url, schemas: 'app\r\n\n', preset: 'none' },
      'sarif-file': 'migrations/001.sql',
    })
    assert.equal(code, 1, log)
    assert.match(npm, new RegExp(` @pie/advisor@${version}\n$`))
    assert.match(log, /^HOLE: /m)
    assert.match(log, /table app\.notes/)
    const read = (name: string): string => readFileSync(outputs[name] ?? '', 'utf8')
    const report = JSON.parse(read('report'))
    assert.deepEqual(report.schemas, ['app'])
    assert.equal(outputs['findings'], String(report.findings.length))
    const sarif = JSON.parse(read('sarif'))
    assert.equal(sarif.runs[0].results.length, report.findings.length)
    const [place] = sarif.runs[0].results[0].locations
    assert.equal(place.physicalLocation.artifactLocation.uri, 'migrations/001.sql')
    assert.equal(read('markdown'), summary)
    assert.match(summary, /^<!-- pie-advisor -->/)
    // The password is in nothing that is shown or kept.
    const { password } = new URL(database.url)
    for (const shown of [log, summary, read('report'), read('sarif')])
      assert.ok(password === '' || !shown.includes(`:${password}@`))
  })

  test('passes where nothing has that weight, and says what it found nevertheless', async () => {
    const { code, outputs, summary } = await runAction({
      ...{ 'database-url': database.url, schemas: 'app', 'fail-on': 'never', preset: 'none' },
    })
    assert.equal(code, 0)
    assert.ok(Number(outputs['findings']) > 0)
    assert.match(summary, /findings? in 1 schema/)
  })

  test('takes roles, style and accepted findings; of what it is told nothing is a command or an option', async () => {
    const { code, log } = await runAction({
      'database-url': database.url,
      schemas: 'app\n--help\n',
    })
    assert.equal(code, 2)
    assert.match(log, /There is no schema --help/)
    const marked = join(directory, 'marked')
    for (const input of [
      'schemas',
      'roles',
      'accepted',
      'preset',
      'fail-on',
      'sarif-file',
      'package',
    ]) {
      const evil = `x"; touch ${marked}; $(touch ${marked}) \`touch ${marked}\``
      await runAction({ 'database-url': database.url, [input]: evil })
      assert.equal(existsSync(marked), false, input)
    }
  })

  test('what cannot be looked at fails with 2, and leaves no report', async () => {
    const { code, log, outputs, summary } = await runAction({
      'database-url': 'postgres://nobody@127.0.0.1:1/none',
    })
    assert.deepEqual({ code, outputs, summary }, { code: 2, outputs: {}, summary: '' })
    assert.match(log, /Could not connect/)
  })

  test('a name in the database gives the runner no orders', async () => {
    const { log, outputs } = await runAction({
      ...{ 'database-url': database.url, schemas: 'odd one', style: 'true', 'fail-on': 'never' },
    })
    assert.ok(Number(outputs['findings']) > 0)
    assert.ok(!('x' in outputs))
    // Between the two marks the runner takes no orders; and no line there looks like one.
    const [, token, shown = ''] = /^::stop-commands::(\S+)\n([\s\S]*)^::\1::$/m.exec(log) ?? []
    assert.match(token ?? '', /^[0-9a-f-]{36}$/)
    assert.match(shown, /::error::pwned/)
    assert.doesNotMatch(shown, /^::/m)
  })
})

describe('the hook', () => {
  const [hook, ...others] = parse(readFileSync(join(repository, '.pre-commit-hooks.yaml'), 'utf8'))

  test('is one that pre-commit takes, of the version that is released with it', () => {
    assert.deepEqual(others, [])
    const known = ['id', 'name', 'description', 'language', 'additional_dependencies', 'entry']
    for (const key of Object.keys(hook))
      assert.ok(
        [...known, 'files', 'pass_filenames', 'stages', 'minimum_pre_commit_version'].includes(key),
        key,
      )
    assert.equal(hook.language, 'node')
    assert.deepEqual(hook.additional_dependencies, [`@pie/advisor@${version}`])
    assert.equal(hook.pass_filenames, false)
    assert.ok('database/migrations/0001-first.sql'.match(hook.files))
  })

  test('calls a program that the package has', () => {
    const [program] = hook.entry.split(' ')
    const { bin } = JSON.parse(readFileSync(join(repository, 'advisor/package.json'), 'utf8'))
    assert.ok(Object.keys(bin).includes(program))
  })
})

describe('the guide', () => {
  const guide = readFileSync(join(repository, 'docs/guides/advisor-in-your-build.md'), 'utf8')
  const blocks = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) =>
    parse(block),
  )

  test('uses the action with inputs that it has, in its version, and explains each of them', () => {
    const steps: Step[] = blocks[0].jobs.lint.steps
    const step = steps.find(({ uses = '' }) => uses.includes('/advisor/action@'))
    assert.ok(step !== undefined)
    assert.ok(step.uses?.endsWith(`@v${version}`), step.uses)
    for (const input of Object.keys(step.with ?? {})) assert.ok(action.inputs[input] !== undefined)
    const explained = [...guide.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, input]) => input)
    assert.deepEqual(explained, Object.keys(action.inputs))
    for (const output of Object.keys(action.outputs)) assert.ok(guide.includes(`\`${output}\``))
    // The comment is made of what the step leaves.
    const [comment]: Step[] = blocks[1]
    for (const [, output = ''] of JSON.stringify(comment).matchAll(/steps\.lint\.outputs\.(\w+)/g))
      assert.ok(action.outputs[output] !== undefined, output)
    assert.doesNotMatch(comment?.run ?? '', /\$\{\{/)
  })

  test('has the hook as it is', () => {
    const [hook] = parse(readFileSync(join(repository, '.pre-commit-hooks.yaml'), 'utf8'))
    const [shown] = blocks[2].repos[0].hooks
    const { entry, ...same } = shown
    assert.equal(entry, `${hook.entry} --fail-on leak`)
    for (const [key, value] of Object.entries(same)) assert.deepEqual(value, hook[key], key)
  })
})
