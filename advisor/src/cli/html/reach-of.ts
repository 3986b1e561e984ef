import type { Access } from '../../exposure/exposure.ts'
import { reachOfRows } from '../../exposure/reach-of-rows.ts'
import { Markup } from './markup.ts'

/** How far an access goes, for a colour and a sign. `quiet`: granted, and no statement of the server in front comes to it. */
export type ReachClass = 'all' | 'some' | 'no' | 'quiet' | 'void'

/** Not by colour alone: ● ◐ ○ · ✕. As entities, because one such sign in a text of some MB makes all of it twice as large in memory. */
export const signs: Record<ReachClass, Markup> = {
  all: new Markup('&#9679;'),
  some: new Markup('&#9680;'),
  no: new Markup('&#9675;'),
  quiet: new Markup('&#183;'),
  void: new Markup('&#10005;'),
}

export function reachOf({ allowed, rows }: Access): ReachClass {
  if (!allowed) return 'void'
  const reach = reachOfRows(rows)
  return reach === 'none' ? 'no' : reach
}
