/** Connections that this process has given up while Postgres was still at work on them: it does not notice by itself. */
import type pg from 'pg'
import { stateOf } from './connection-state.ts'

/** Long enough for whoever ends them to have looked a few times. */
const KEPT_MS = 30_000

const givenUp = new Map<string, number>()

/** Not behind a pooler in transaction mode: what it was at work on may be on another connection's behalf by now. */
export function noteGivenUp(client: pg.ClientBase): void {
  const { backend, poolMode } = stateOf(client)
  if (backend !== null && poolMode !== 'transaction') givenUp.set(backend, performance.now())
}

/** As `ConnectionState` names them: with when they began, because a number may be given again. */
export function givenUpBackends(): string[] {
  for (const [backend, atMs] of givenUp)
    if (performance.now() - atMs > KEPT_MS) givenUp.delete(backend)
  return [...givenUp.keys()]
}
