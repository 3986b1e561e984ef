import type { Names } from '../names.ts'
import type { Landmarks } from './landmarks.ts'

/** A platform whose roles, helpers and schemas are always called alike. */
export interface Preset {
  /** As people say it: `Supabase`. */
  title: string
  /** What it is recognised by, for people. */
  signs: string
  isOn(landmarks: Landmarks): boolean
  /** What it is agreed to call things, as far as they are there. */
  names(landmarks: Landmarks): Names
}
