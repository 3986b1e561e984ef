import type pg from 'pg'
import { AdvisorError } from '../errors.ts'
import { everybody } from '../exposure/exposure.ts'
import { type Names, noNames } from '../names.ts'
import { type Landmarks, readLandmarks } from './landmarks.ts'
import { pie } from './pie.ts'
import { postgrest } from './postgrest.ts'
import type { Preset } from './preset.ts'
import { supabase } from './supabase.ts'
import { uniteNames } from './unite-names.ts'

const presets = { supabase, postgrest, pie } satisfies Record<string, Preset>
export type PresetName = keyof typeof presets
export const presetChoices = ['auto', ...(Object.keys(presets) as PresetName[]), 'none'] as const
export type PresetChoice = (typeof presetChoices)[number]

/** What a database is taken for, and what that says. */
export interface TakenNames {
  presets: PresetName[]
  names: Names
  /** For people: what it was taken for and why; null where that was theirs to say, or there is nothing to say. */
  note: string | null
}

/**
 * Finds out by which names a database goes.
 * @param known what is known of it anyway; a preset adds to it
 * @throws AdvisorError where a preset is named whose roles are not there
 */
export async function takeNames(
  client: pg.ClientBase,
  choice: PresetChoice,
  known: Names = noNames,
): Promise<TakenNames> {
  if (choice === 'none') return { presets: [], names: known, note: null }
  const landmarks = await readLandmarks(client)
  const taken = choice === 'auto' ? recognise(landmarks) : [choice]
  // Who names roles knows better.
  if (choice !== 'auto' && known.requestRoles === null) checkThere(choice, landmarks)
  const agreed = taken
    .map((name) => presets[name].names(landmarks))
    .reduce((all, some) => uniteNames(all, some), known)
  const names = taken.length === 0 ? agreed : withDirectRoles(agreed, landmarks)
  return { presets: taken, names, note: choice === 'auto' ? describe(taken) : null }
}

/** Beside a platform, somebody may have let in others: who logs in here and was granted something is asked about too. */
function withDirectRoles(names: Names, { roles }: Landmarks): Names {
  const { requestRoles, trustedRoles, shownRoles } = names
  if (requestRoles === null) return names
  const directRoles = [...roles]
    .filter(
      ([name, { mayBeRequest }]) =>
        mayBeRequest && !requestRoles.includes(name) && !trustedRoles.includes(name),
    )
    .map(([name]) => name)
    .sort()
  return {
    ...names,
    directRoles,
    requestRoles: [...requestRoles, ...directRoles],
    shownRoles: shownRoles === null ? null : insertBefore(everybody, shownRoles, directRoles),
  }
}

function insertBefore(last: string, names: readonly string[], added: readonly string[]): string[] {
  const others = names.filter((name) => name !== last && !added.includes(name))
  return [...others, ...added, ...(names.includes(last) ? [last] : [])]
}

/** On Supabase, its PostgREST is known as a part of it. */
function recognise(landmarks: Landmarks): PresetName[] {
  const all = (Object.keys(presets) as PresetName[]).filter((name) => presets[name].isOn(landmarks))
  return all.filter((name) => name !== 'postgrest' || !all.includes('supabase'))
}

function checkThere(choice: PresetName, landmarks: Landmarks): void {
  const { title, signs, isOn } = presets[choice]
  if (isOn(landmarks)) return
  throw new AdvisorError(
    `--preset ${choice}: this database does not look like ${title}, which is known by ${signs}. ` +
      'Without --preset it is looked at as it is.',
  )
}

function describe(taken: readonly PresetName[]): string | null {
  if (taken.length === 0) return null
  return taken
    .map((name) => `Taken for ${presets[name].title}, by ${presets[name].signs}.`)
    .join(' ')
}
