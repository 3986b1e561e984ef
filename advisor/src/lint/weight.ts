/**
 * How grave a finding is, the gravest first. `hole`: somebody can do what they should not. `leak`: somebody learns what they
 * should not. `failure`: what should work fails, or shows nothing. `slow`: it works, and costs too much. `style`: a habit.
 */
export const weights = ['hole', 'leak', 'failure', 'slow', 'style'] as const
export type Weight = (typeof weights)[number]

/** Whether a weight is another one, or graver. */
export const isAtLeast = (weight: Weight, least: Weight): boolean =>
  weights.indexOf(weight) <= weights.indexOf(least)
