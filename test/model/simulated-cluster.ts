/** The servers of one database: a primary, its standby, and primaries that have been left. */
import { createSimulatedPostgres, emptyData, type SimulatedPostgres } from './simulated-postgres.ts'

export function createSimulatedCluster(now: () => number) {
  let timeline = 1
  const follow = (primary: SimulatedPostgres) =>
    createSimulatedPostgres(now, primary.data(), { timeline, isStandby: true })
  const first = createSimulatedPostgres(now, emptyData(), { timeline, isStandby: false })
  /** The newest last. */
  const primaries = [first]
  let standby = follow(first)
  const newest = () => primaries.at(-1) as SimulatedPostgres

  return {
    newest,
    standby: () => standby,
    /** Any that there is or was, counted round. */
    primary: (place: number) => primaries[place % primaries.length] as SimulatedPostgres,
    of: (timelineOf: number): SimulatedPostgres | undefined =>
      primaries.find((primary) => primary.timeline() === timelineOf),
    /** The standby comes up with the primary, and lags from then on. */
    catchUp: () => {
      standby = follow(newest())
    },
    /**
     * The standby becomes the primary: what it has not been sent is lost.
     * @param clockMs how far its clock is ahead of what the other's was at first
     */
    promote: (clockMs: number) => {
      timeline += 1
      standby.promote(timeline, clockMs)
      primaries.push(standby)
      standby = follow(standby)
    },
    leaveOlder: () => {
      for (const primary of primaries) if (primary !== newest()) primary.die()
    },
  }
}
