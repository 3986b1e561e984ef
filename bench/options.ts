import { parseArgs } from 'node:util'

export const scenarioNames = [
  'users-me',
  'graphql',
  'refresh',
  'login',
  'sign-in',
  'storm',
  'session-near',
  'session-shared',
  'session-miss',
  'forged',
  'revocation',
  'lookup',
  'notes',
  'round-trips',
  'clean-up',
  'memory',
  'start',
  'advisor',
] as const
export type ScenarioName = (typeof scenarioNames)[number]

/** What asks for the work of Postgres, and so is measured on each version. */
export const measuredOnEach: readonly ScenarioName[] = [
  'users-me',
  'graphql',
  'refresh',
  'sign-in',
  'session-miss',
  'lookup',
  'notes',
  'round-trips',
  'advisor',
]

/** Those that come with npm: what Pie brings along, and the oldest that it takes. */
export const postgresVersions = [18, 15] as const
export type PostgresVersion = (typeof postgresVersions)[number]

/** What takes a minute and more. */
const onlyWhenNamed: readonly ScenarioName[] = ['lookup', 'clean-up', 'advisor']

export interface Options {
  only: readonly ScenarioName[]
  /** In this order; what does not depend on the version is measured on the first. */
  postgres: readonly PostgresVersion[]
  isJson: boolean
  /** How long each side is measured in each round. */
  seconds: number
  rounds: number
  /** How many users there are, each with a session. */
  users: number
  /** How many tables the largest schema of `advisor` has; policies, grants and roles go with them. */
  tables: number
  /** How many sessions there are in the largest database of `lookup`, and how many `clean-up` deletes. */
  sessions: number
}

export const usage = `npm run bench -- [options]

Starts Pie and its floor, measures them in turn, and prints what Pie does beside its floor.

  --only <scenario>  one of ${scenarioNames.join(', ')}; may be repeated;
                     without it, all but ${onlyWhenNamed.join(', ')}
  --postgres <list>  the versions of Postgres, of ${postgresVersions.join(' and ')}, with a comma between them (18,15);
                     on the second is measured only what depends on it: ${measuredOnEach.slice(0, 3).join(', ')},
                     ${measuredOnEach.slice(3).join(', ')}
  --seconds <n>      how long each side is measured in each round (2)
  --rounds <n>       how many rounds; their median is printed (5)
  --users <n>        how many users there are, each with a session (10000)
  --sessions <n>     how many sessions lookup looks among, beside 10,000, and clean-up deletes (1000000)
  --tables <n>       how many tables the advisor looks at, with 4 policies and 20 grants each (1000)
  --json             print JSON
  --help             print this
`

export class WrongUsage extends Error {}

/** Null when help is asked for. Throws WrongUsage. */
export function readOptions(args: string[]): Options | null {
  const values = parse(args)
  if (values.help === true) return null
  const only = values.only ?? scenarioNames.filter((name) => !onlyWhenNamed.includes(name))
  for (const name of only) {
    if (!isScenario(name)) throw new WrongUsage(`There is no scenario ${name}.`)
  }
  return {
    only: only.filter(isScenario),
    postgres: readVersions(values.postgres),
    isJson: values.json === true,
    seconds: readNumber('--seconds', values.seconds, 0.1, 600),
    rounds: readNumber('--rounds', values.rounds, 1, 100),
    users: readNumber('--users', values.users, 200, 1_000_000),
    tables: readNumber('--tables', values.tables, 100, 20_000),
    sessions: readNumber('--sessions', values.sessions, 20_000, 100_000_000),
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        only: { type: 'string', multiple: true },
        postgres: { type: 'string', default: postgresVersions.join(',') },
        seconds: { type: 'string', default: '2' },
        rounds: { type: 'string', default: '5' },
        users: { type: 'string', default: '10000' },
        sessions: { type: 'string', default: '1000000' },
        tables: { type: 'string', default: '1000' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new WrongUsage((error as Error).message)
  }
}

function isScenario(name: string): name is ScenarioName {
  return scenarioNames.some((known) => known === name)
}

function readVersions(text: string): PostgresVersion[] {
  const versions = [...new Set(text.split(',').map(Number))]
  const known = versions.flatMap((version) => postgresVersions.filter((one) => one === version))
  if (known.length < versions.length)
    throw new WrongUsage(`--postgres is a list of ${postgresVersions.join(' and ')}.`)
  return known
}

function readNumber(option: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (text.trim() === '' || !(number >= least && number <= most))
    throw new WrongUsage(`${option} is a number from ${least} to ${most}.`)
  return number
}
