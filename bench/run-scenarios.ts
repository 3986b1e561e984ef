import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Measurement } from './measurement.ts'
import type { Options, ScenarioName } from './options.ts'
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
  { directory, onStarted, say }: Surroundings,
): Promise<Measurement[]> {
  const isWanted = (name: ScenarioName) => options.only.includes(name)
  const measurements: Measurement[] = []
  if (onStage.some(([name]) => isWanted(name))) {
    say(`starting Pie and its floor, with ${options.users} users`)
    const stageDirectory = join(directory, 'stage')
    await mkdir(stageDirectory, { mode: 0o711 })
    const stage = await setStage({
      directory: stageDirectory,
      users: options.users,
      onStarted,
      say,
    })
    for (const [name, measure] of onStage) {
      if (!isWanted(name)) continue
      say(`measuring ${name}`)
      measurements.push(...(await measure(stage, options)))
    }
    await stage.floor.stop()
    await stage.pie.stop()
  }
  if (isWanted('start')) {
    say('measuring start')
    measurements.push(...(await measureStart(directory, options, onStarted)))
  }
  return measurements
}
