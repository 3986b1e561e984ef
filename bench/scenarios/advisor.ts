import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options, PostgresVersion } from '../options.ts'
import { type AdvisorStage, setAdvisorStage } from '../stage/advisor-stage.ts'
import { roleOf, type SchemaSize } from '../stage/large-schema-size.ts'

/** The whole schema last: what was before it says how it grows. */
const PARTS = [0.25, 0.5, 1]

/** What is run, beside its address; `roles` is how many there are. */
const questions: [name: string, argumentsFor: (size: SchemaSize) => string[]][] = [
  ['lint', () => ['lint', '--json']],
  ['exposure', () => ['exposure', '--json']],
  ['exposure of all roles', ({ roles }) => ['exposure', '--json', '--role', ...namesOf(roles)]],
]

const namesOf = (roles: number): string[] =>
  Array.from({ length: roles }, (_, role) => roleOf(role))

interface AskedAt {
  tables: number
  measurements: Measurement[]
}

/**
 * Time and memory of the advisor on a large schema, and on a half and a quarter of it, each run in a process of its own, as built.
 * Beside a process that does no more than to fetch the same catalogs whole, with the same driver.
 */
export async function measureAdvisor(
  postgres: PostgresVersion,
  options: Options,
  surroundings: { onStarted(stop: () => Promise<void>): void; say(line: string): void },
): Promise<Measurement[]> {
  const stage = await setAdvisorStage(postgres, surroundings)
  const asked: AskedAt[] = []
  for (const part of PARTS) {
    const tables = Math.round(options.tables * part)
    const size = { tables, policies: tables * 4, grants: tables * 20, roles: Math.ceil(tables / 5) }
    surroundings.say(`making ${tables} tables, ${size.policies} policies, ${size.grants} grants`)
    await stage.make(size)
    for (const question of questions)
      asked.push({ tables, measurements: await measure(stage, size, question, options.rounds) })
  }
  await stage.stop()
  return asked.flatMap(({ tables, measurements }) => [
    ...measurements,
    ...(tables === options.tables ? growthOf(asked, measurements) : []),
  ])
}

async function measure(
  stage: AdvisorStage,
  size: SchemaSize,
  [name, argumentsFor]: (typeof questions)[number],
  rounds: number,
): Promise<Measurement[]> {
  const args = argumentsFor(size)
  const runs = await measureInTurn(rounds, stage.fetchCatalogs, () => stage.runAdvisor(args))
  const scenario = `advisor ${name}, ${size.tables.toLocaleString('en')} tables`
  const aim = (text: string) => (size.tables === 1_000 ? text : null)
  return [
    compare({ scenario, unit: 'ms', aim: aim('≤ 3,000') }, runs, ({ ms }) => ms),
    compare({ scenario, unit: 'ms of a processor', aim: null }, runs, ({ cpuMs }) => cpuMs),
    compare(
      { scenario, unit: 'MB at most', aim: aim('≤ 200') },
      runs,
      ({ megabytes }) => megabytes,
    ),
  ]
}

/** How many times as long as a quarter the whole takes: no more than 4 where the time grows with the schema. */
function growthOf(asked: AskedAt[], [whole]: Measurement[]): Measurement[] {
  const [name] = whole?.scenario.split(', ') ?? []
  const quarter = asked
    .flatMap(({ measurements }) => measurements)
    .find(({ scenario, unit }) => unit === 'ms' && scenario.startsWith(`${name}, `))
  if (whole === undefined || quarter === undefined || whole === quarter) return []
  const times = ({ pie, floor }: Measurement) => ({ pie, floor: floor ?? 0 })
  const pairs = [{ floor: times(quarter), pie: times(whole) }]
  return [
    {
      scenario: `${name}, growth of the time`,
      unit: 'for 4 × the size',
      pie: whole.pie / quarter.pie,
      floor: (whole.floor ?? 0) / (quarter.floor ?? 1),
      ratio: null,
      aim: '≤ 4',
      rounds: pairs,
    },
  ]
}
