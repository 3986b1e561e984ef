/** How a report of lint is shown: to people, to code scanning, in a pull request and as SQL; whatever names are in it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintReportInMarkdown } from '../../advisor/src/cli/lint-report-in-markdown.ts'
import { lintReportInSarif } from '../../advisor/src/cli/lint-report-in-sarif.ts'
import { lintReportInWords } from '../../advisor/src/cli/lint-report-in-words.ts'
import { mendsInOrder } from '../../advisor/src/cli/mends-in-order.ts'
import { showProgress } from '../../advisor/src/cli/show-progress.ts'
import { splitStatements } from '../../advisor/src/cli/split-statements.ts'
import { applyAcceptances } from '../../advisor/src/lint/apply-acceptances.ts'
import type { Finding } from '../../advisor/src/lint/finding.ts'
import type { LintReport } from '../../advisor/src/lint/lint-database.ts'

const finding = (given: Partial<Finding>): Finding => ({
  rule: 'open-table',
  weight: 'hole',
  object: 'table app.notes',
  why: 'Everybody reads it.',
  detail: null,
  mend: 'alter table app.notes enable row level security;',
  ...given,
})

const reportOf = (findings: Finding[], given: Partial<LintReport> = {}): LintReport => ({
  ...{ schemas: ['app'], accepted: 0, left_alone: [], unseen: [] },
  findings,
  ...given,
})

const slow = finding({
  rule: 'no-index',
  weight: 'slow',
  object: 'column app.notes.owner',
  why: 'All of the table is read.',
  detail: 'policy notes_own compares it',
  mend: 'create index on app.notes (owner);',
})

/** What somebody who may make tables can put into a report. */
const hostile =
  'table app."`<img src=x onerror=alert(1)>`|@ada #1 ![x](http://a)\n\u001b[2K::error::x\u202e{0} ``` -- "'

const sarifOf = (findings: Finding[], homepage?: string) => {
  const page = { version: '1.2.3', file: 'db/migrations/001 first.sql', homepage }
  // As it is written: what is undefined is not there.
  return JSON.parse(JSON.stringify(lintReportInSarif(reportOf(findings), page)))
}

interface Rule {
  id: string
  helpUri: string
  defaultConfiguration: { level: string }
  properties: { 'security-severity'?: string }
}

test('in words: by weight, the gravest first; a rule and why once, then its objects; the last line counts', () => {
  const words = lintReportInWords(
    reportOf([slow, finding({}), finding({ object: 'table app.drafts' })], {
      accepted: 2,
      unseen: ['the settings of other roles'],
    }),
  )
  assert.equal(
    words,
    `HOLE: somebody can do what they should not

open-table (2)
  Everybody reads it.
  - table app.notes
      alter table app.notes enable row level security;
  - table app.drafts
      alter table app.notes enable row level security;

SLOW: it works, and costs too much

no-index
  All of the table is read.
  - column app.notes.owner
    policy notes_own compares it
      create index on app.notes (owner);

Not seen: the settings of other roles

3 findings (2 holes, 1 slow) in 1 schema (app), and 2 accepted.`,
  )
  assert.equal(lintReportInWords(reportOf([])), 'No findings in 1 schema (app).')
})

test('in words: a group of more than 20 is cut on a terminal, and only there', () => {
  const many = Array.from({ length: 57 }, (_, index) => finding({ object: `table app.t${index}` }))
  const cut = lintReportInWords(reportOf(many), { isCut: true })
  assert.match(cut, /table app\.t19\n.*\n {2}… and 37 more: --all\n\n57 findings \(57 holes\)/)
  assert.doesNotMatch(cut, /app\.t20\b/)
  assert.match(lintReportInWords(reportOf(many)), /app\.t56\b/)
  assert.doesNotMatch(lintReportInWords(reportOf(many.slice(37)), { isCut: true }), /--all/)
})

test('in words: a name neither writes a line of the report nor moves the cursor', () => {
  const words = lintReportInWords(reportOf([finding({ object: hostile, detail: hostile })]))
  const plain = lintReportInWords(reportOf([finding({ detail: 'x' })]))
  assert.equal(words.split('\n').filter((line) => line.startsWith('::')).length, 0)
  assert.doesNotMatch(words, /(?![\n])[\p{Cc}\p{Cf}]/u)
  assert.match(words, /- table app\..*\\n\\u\{1b\}\[2K::error::x\\u\{202e\}/)
  assert.ok(words.split('\n').length <= plain.split('\n').length + 1)
})

test('in SARIF: what GitHub asks of rules and results is there, and weights are its levels and severities', () => {
  const weights = ['hole', 'leak', 'failure', 'slow', 'style'] as const
  const { version, runs } = sarifOf(
    weights.map((weight) => finding({ rule: `of-${weight}`, weight })),
    'https://pie.example/lint',
  )
  assert.equal(version, '2.1.0')
  assert.equal(runs.length, 1)
  const [{ tool, results, invocations }] = runs
  assert.equal(invocations[0].executionSuccessful, true)
  assert.equal(tool.driver.semanticVersion, '1.2.3')
  assert.deepEqual(
    tool.driver.rules.map((rule: Rule) => [
      ...[rule.id, rule.defaultConfiguration.level],
      ...[rule.properties['security-severity'] ?? null, rule.helpUri],
    ]),
    [
      ['of-hole', 'error', '9.1', 'https://pie.example/lint#of-hole'],
      ['of-leak', 'error', '7.5', 'https://pie.example/lint#of-leak'],
      ['of-failure', 'warning', null, 'https://pie.example/lint#of-failure'],
      ['of-slow', 'warning', null, 'https://pie.example/lint#of-slow'],
      ['of-style', 'note', null, 'https://pie.example/lint#of-style'],
    ],
  )
  for (const rule of tool.driver.rules) {
    for (const said of [rule.shortDescription.text, rule.fullDescription.text, rule.help.text])
      assert.ok(said.length > 0 && said.length <= 1024, said)
    assert.ok(rule.name.length <= 255)
    // GitHub reads a severity only of what says that it is about security.
    assert.equal(
      rule.properties.tags.includes('security'),
      rule.properties['security-severity'] !== undefined,
    )
  }
  for (const result of results) {
    assert.equal(tool.driver.rules[result.ruleIndex].id, result.ruleId)
    const [{ physicalLocation, logicalLocations }] = result.locations
    assert.equal(physicalLocation.artifactLocation.uri, 'db/migrations/001%20first.sql')
    // GitHub asks for all four.
    const region = { startLine: 1, startColumn: 1, endLine: 1, endColumn: 2 }
    assert.deepEqual(physicalLocation.region, region)
    assert.deepEqual(logicalLocations, [{ fullyQualifiedName: 'table app.notes', kind: 'table' }])
  }
})

test('in SARIF: a rule whose findings differ in weight is as grave as the gravest, and each result is its own', () => {
  const [{ tool, results }] = sarifOf([
    finding({ weight: 'slow' }),
    finding({ weight: 'hole', object: 'table app.drafts' }),
  ]).runs
  assert.deepEqual(
    tool.driver.rules.map(({ properties }: Rule) => properties['security-severity']),
    ['9.1'],
  )
  assert.deepEqual(
    results.map(({ level }: { level: string }) => level),
    ['error', 'warning'],
  )
})

test('in SARIF: a finding keeps its fingerprint, however it is explained, and no two share one', () => {
  const prints = (findings: Finding[]): string[] =>
    sarifOf(findings).runs[0].results.map(
      ({ partialFingerprints }: never) => partialFingerprints['primaryLocationLineHash'],
    )
  const [print] = prints([finding({})])
  assert.match(print ?? '', /^[0-9a-f]{16}:1$/)
  assert.deepEqual(prints([slow, finding({ why: 'new', detail: 'd', mend: '', weight: 'leak' })]), [
    print,
    prints([slow])[0],
  ])
  // Not even those whose names run into one another.
  const others = [
    finding({ rule: 'open-table t', object: 'x' }),
    finding({ rule: 'open-table', object: 't x' }),
  ]
  assert.equal(new Set([print, ...prints(others)]).size, 3)
})

test('in SARIF: braces are written twice, and SQL with braces is left out of the message rather than changed', () => {
  const mend = `alter table app.notes alter tags set default '{}';`
  const [{ results }] = sarifOf([finding({ object: 'table app."{0}"', mend }), finding({})]).runs
  assert.match(results[0].message.text, /^table app\."\{\{0\}\}": Everybody reads it\./)
  assert.doesNotMatch(results[0].message.text, /alter table/)
  assert.equal(results[0].properties.mend, mend)
  assert.match(results[1].message.text, /Mend:\nalter table app\.notes enable/)
})

test('in SARIF: no more results than GitHub takes, the gravest first, and what is left out is said', () => {
  const many = Array.from({ length: 25_010 }, (_, index) =>
    finding({ weight: index < 25_000 ? 'slow' : 'hole', object: `table app.t${index}` }),
  )
  const [{ results, invocations }] = sarifOf(many).runs
  assert.equal(results.length, 25_000)
  assert.equal(results.filter(({ level }: { level: string }) => level === 'error').length, 10)
  assert.match(
    invocations[0].toolExecutionNotifications[0].message.text,
    /^10 more would not be taken/,
  )
})

test('in Markdown: counts in a table, findings in folds, the gravest first', () => {
  const page = lintReportInMarkdown(reportOf([slow, finding({})], { accepted: 3 }))
  assert.match(
    page,
    /^<!-- pie-advisor -->\n\n### advisor lint: 2 findings in 1 schema, and 3 accepted\n/,
  )
  assert.match(page, /\| hole \| 1 \| somebody .* \|\n\| slow \| 1 \| it works.* \|\n\n<details>/)
  assert.ok(page.indexOf('open-table') < page.indexOf('no-index'))
  assert.match(page, /`column app\.notes\.owner`: policy notes\\_own compares it\n\n```sql\ncreate/)
  assert.equal(page.match(/<details>/g)?.length, page.match(/<\/details>/g)?.length)
  assert.match(lintReportInMarkdown(reportOf([])), /### advisor lint: No findings in 1 schema$/m)
})

test('in Markdown: a name is no markup, no mention, no link and no end of a fence', () => {
  const nasty = finding({ object: hostile, detail: hostile, why: hostile, mend: `-- ${hostile}` })
  const page = lintReportInMarkdown(reportOf([nasty], { unseen: [hostile] }))
  // Outside of code, which is taken as it is.
  const text = page
    .replace('<!-- pie-advisor -->', '')
    .replaceAll(/^(`{3,})sql\n[\s\S]*?\n\1$/gm, '')
    .replaceAll(/(?<!\\)(`+) [^\n]*? \1(?!`)/g, '')
  assert.doesNotMatch(text, /<img|@ada|(?<!\\)\[x|(?<!\\)!|(?<!&)#1|(?<!\\)`|http:\/\//)
  assert.match(page, /^`{4,}sql$/m)
  assert.doesNotMatch(page, /^::|(?![\n\u200b])[\p{Cc}\p{Cf}]/mu)
})

test('in Markdown: never longer than a comment may be, and what is left out is counted', () => {
  const many = Array.from({ length: 2000 }, (_, index) =>
    finding({ rule: `rule-${index % 7}`, object: `table app.t${index}` }),
  )
  const page = lintReportInMarkdown(reportOf(many))
  assert.ok(page.length <= 65_000 && page.length > 60_000, String(page.length))
  const shown = page.match(/^`table app\.t\d+`$/gm)?.length ?? 0
  const [, left] = /_([\d,]+) findings more would not fit/.exec(page) ?? []
  assert.equal(shown + Number(left?.replaceAll(',', '')), 2000)
  assert.match(page, /\| hole \| 2,000 \|/)
  assert.equal(page.match(/<details>/g)?.length, page.match(/<\/details>/g)?.length)
  const wordy = reportOf(many, { unseen: ['x'.repeat(80_000)] })
  assert.ok(lintReportInMarkdown(wordy).length <= 65_000)
})

test('mends: functions before the policies that call them, what drops last, each statement once', () => {
  const mend = (sql: string, weight: Finding['weight'] = 'slow', object = 'table app.notes') =>
    finding({ rule: 'r', weight, object, mend: sql })
  const sql = mendsInOrder([
    mend('drop policy old on app.notes;', 'hole'),
    mend("comment on table app.notes is 'a; b';", 'style'),
    mend('create index on app.notes (owner);'),
    mend('drop policy p on app.notes;\ncreate policy p on app.notes to web using (app.mine());'),
    mend('-- who is to see it? Nobody knows'),
    mend('alter function app.mine() stable;', 'slow', 'policy p on app.notes'),
    mend('revoke truncate on app.notes from web;', 'leak'),
    mend('alter function app.mine() stable;', 'failure', 'function app.mine()'),
  ])
  assert.equal(
    sql,
    `-- r: function app.mine()
alter function app.mine() stable;

-- r: policy p on app.notes
-- as above

-- r: table app.notes
revoke truncate on app.notes from web;

-- r: table app.notes
drop policy p on app.notes;
create policy p on app.notes to web using (app.mine());

-- r: table app.notes
create index on app.notes (owner);

-- r: table app.notes
comment on table app.notes is 'a; b';

-- r: table app.notes
drop policy old on app.notes;

-- r: table app.notes
-- who is to see it? Nobody knows`,
  )
  assert.equal(mendsInOrder([]), '-- There is nothing to mend.')
})

test('mends: a line break in a name ends no comment', () => {
  const sql = mendsInOrder([
    finding({ object: 'table app."x\ndrop table app.notes;\r--"', mend: 'select 1;' }),
  ])
  assert.deepEqual(
    sql.split(/\r|\n/).filter((line) => !line.startsWith('--')),
    ['select 1;'],
  )
})

test('statements are told apart, whatever is quoted in them', () => {
  for (const statements of [
    [`select 'a;b''c;';`, 'select ";";'],
    ['create function f() as $$ begin; end; $$;', 'create function g() as $x$ a;$$;b $x$;'],
    ['-- a; b\nselect 1;', 'select 2 /* ; */;', `select E'\\';';`],
    [
      'create function h() returns int language sql begin atomic select case when true then 1 end; select 2; end;',
      'select 3',
    ],
  ])
    assert.deepEqual(splitStatements(statements.join('\n')), statements)
  assert.deepEqual(splitStatements(' \n'), [])
})

test('an acceptance of something lighter than is looked for is none of nothing', () => {
  const style = finding({ rule: 'habit', weight: 'style' })
  const acceptances = [
    { rule: 'habit', object: style.object, reason: 'so be it' },
    { rule: 'no-index', object: slow.object, reason: 'small' },
    { rule: 'habit', object: 'table app.gone', reason: 'was there' },
  ]
  const judge = (least: 'slow' | 'style') => {
    const { findings, accepted } = applyAcceptances(
      [style, slow],
      acceptances,
      ['habit', 'no-index'],
      null,
      least,
    )
    return { accepted, left: findings.map(({ rule, object }) => `${rule}: ${object}`) }
  }
  const left = ['acceptance-of-nothing: acceptance of habit on table app.gone']
  assert.deepEqual(judge('slow'), { accepted: 1, left })
  assert.deepEqual(judge('style'), { accepted: 2, left })
})

test('an acceptance may stand for all objects that begin alike, and of no rule is told as that', () => {
  const other = finding({ object: 'table app.drafts' })
  const judge = (rule: string, object: string) =>
    applyAcceptances(
      [finding({}), other, slow],
      [{ rule, object, reason: 'so be it' }],
      ['open-table', 'no-index', 'policy-to-everybody'],
      null,
      'slow',
    )
  assert.equal(judge('open-table', 'table app.*').accepted, 2)
  assert.equal(judge('open-table', 'table app.n*').accepted, 1)
  assert.equal(judge('open-table', 'table *.notes').accepted, 0)
  const [gone] = judge('policy-to-everybody', 'table app.notes').findings.slice(-1)
  assert.match(gone?.why ?? '', /^There is no such finding/)
  const [slip] = judge('open-tabel', 'table app.notes').findings.slice(-1)
  assert.match(slip?.why ?? '', /^There is no rule of that name/)
  assert.equal(slip?.mend, '-- is it open-table that is meant?')
  const [wrong] = judge('opens', 'table app.notes').findings.slice(-1)
  assert.match(wrong?.mend ?? '', /lint --help/)
})

test('in Markdown it says what it is, how it looked, what it left alone and where the rules stand', () => {
  const report = { ...reportOf([slow], { left_alone: ['auth', 'storage'] }), presets: ['supabase'] }
  assert.match(
    lintReportInMarkdown(report, { homepage: 'https://example.org/lint.md' }),
    /^<!-- pie-advisor -->\n\n### advisor lint: 1 finding [^]*<sub>Looked at with preset supabase; left alone, but for policies: auth, storage\. What each rule means: \[the guide\]\(https:\/\/example\.org\/lint\.md\)\.<\/sub>$/,
  )
})

test('progress: one line on a terminal after two seconds, taken away at the end; nothing elsewhere', () => {
  let now = 0
  let written = ''
  const screen = (isTTY: boolean) => ({ isTTY, write: (text: string) => (written += text) })
  const play = (isTTY: boolean, moments: [ms: number, done: number][]) => {
    now = 0
    written = ''
    const progress = showProgress('Linting', screen(isTTY), () => now)
    for (const [ms, done] of moments) {
      now = ms
      progress.tell(done, 40)
    }
    progress.end()
    return written
  }
  assert.equal(
    play(true, [
      [10, 1],
      [1999, 30],
    ]),
    '',
  )
  assert.equal(
    play(false, [
      [10, 1],
      [5000, 30],
    ]),
    '',
  )
  assert.equal(
    play(true, [
      [10, 1],
      [2000, 10],
      [2050, 11],
      [3100, 20],
    ]),
    '\r\u001b[KLinting 25 % … 2 s\r\u001b[KLinting 50 % … 3 s\r\u001b[K',
  )
})
