import { join } from 'node:path'
import type { Measurement } from './measurement.ts'
import { measuredOnEach, type Options, type PostgresVersion, type ScenarioName } from './options.ts'
import { measureAdvisor } from './scenarios/advisor.ts'
import { measureCleanUp } from './scenarios/clean-up.ts'
import { measureForged } from './scenarios/forged.ts'
import { measureGraphql } from './scenarios/graphql.ts'
import { measureLogin } from './scenarios/login.ts'
import { measureLookup } from './scenarios/lookup.ts'
import { measureMemory } from './scenarios/memory.ts'
import { measureNotes } from './scenarios/notes.ts'
import { measureRefresh } from './scenarios/refresh.ts'
import { measureRevocation } from './scenarios/revocation.ts'
import { measureRoundTrips } from './scenarios/round-trips.ts'
import { measureSessionMiss } from './scenarios/session-miss.ts'
import { measureSessionNear } from './scenarios/session-near.ts'
import { measureSessionShared } from './scenarios/session-shared.ts'
import { measureSignIn } from './scenarios/sign-in.ts'
import { measureStart } from './scenarios/start.ts'
import { measureStorm } from './scenarios/storm.ts'
import { measureUsersMe } from './scenarios/users-me.ts'
import { setStage } from './stage/set-stage.ts'

/** What runs on the stage, in this order: memory after the load of the others. */
const onStage = [
  ['users-me', measureUsersMe],
  ['graphql', measureGraphql],
  ['refresh', measureRefresh],
  ['login', measureLogin],
  ['storm', measureStorm],
  ['session-near', measureSessionNear],
  ['session-shared', measureSessionShared],
  ['session-miss', measureSessionMiss],
  ['forged', measureForged],
  ['revocation', measureRevocation],
  ['lookup', measureLookup],
  ['notes', measureNotes],
  ['round-trips', measureRoundTrips],
  // These take sessions of the stage away, which others ask for.
  ['sign-in', measureSignIn],
  ['clean-up', measureCleanUp],
  ['memory', measureMemory],
] as const

export interface Surroundings {
  /** An empty directory, to be removed afterwards. */
  directory: string
  onStarted(stop: () => Promise<void>): void
  /** Told what is being done. */
  say(line: string): void
}

/** Runs the scenarios that are asked for. Whatever is started is told to `onStarted`. */
export async function runScenarios(
  options: Options,
  surroundings: Surroundings,
): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const [place, postgres] of options.postgres.entries()) {
    const names = options.only.filter((name) => place === 0 || measuredOnEach.includes(name))
    measurements.push(...(await runOnStage(postgres, names, options, surroundings)))
    // On a server of its own, without a Pie.
    if (!names.includes('advisor')) continue
    surroundings.say(`measuring advisor on Postgres ${postgres}`)
    measurements.push(...on(postgres, await measureAdvisor(postgres, options, surroundings)))
  }
  // Of the Postgres that Pie brings along.
  if (options.only.includes('start') && options.postgres.includes(18)) {
    const { directory, onStarted, say } = surroundings
    say('measuring start')
    measurements.push(...on(18, await measureStart(directory, options, onStarted)))
  }
  return measurements
}

const on = (postgres: PostgresVersion, measurements: Measurement[]): Measurement[] =>
  measurements.map((measurement) => ({ ...measurement, postgres }))

async function runOnStage(
  postgres: PostgresVersion,
  names: readonly ScenarioName[],
  options: Options,
  { directory, onStarted, say }: Surroundings,
): Promise<Measurement[]> {
  const wanted = onStage.filter(([name]) => names.includes(name))
  if (wanted.length === 0) return []
  say(`starting Pie and its floor on Postgres ${postgres}, with ${options.users} users`)
  const stage = await setStage({
    directory: join(directory, `postgres-${postgres}`),
    postgres,
    users: options.users,
    onStarted,
    say,
  })
  const measurements: Measurement[] = []
  for (const [name, measure] of wanted) {
    say(`measuring ${name}`)
    measurements.push(...on(postgres, await measure(stage, options)))
  }
  await stage.close()
  return measurements
}
