import { noNames } from '../names.ts'
import type { Landmarks } from './landmarks.ts'
import type { Preset } from './preset.ts'

/**
 * PostgREST: logs in as a role that may do nothing itself, and becomes the one that the token names, or the one for
 * requests without a token. What is in a token, it has checked; headers and cookies are whatever the client sends.
 */
export const postgrest: Preset = {
  title: 'PostgREST',
  signs:
    'a login role that inherits nothing, called authenticator or with settings pgrst.…, and rights here of what it becomes',
  isOn: (landmarks) => findAuthenticators(landmarks).length > 0,
  names: (landmarks) => {
    const authenticators = findAuthenticators(landmarks)
    const requestRoles = [
      ...new Set(authenticators.flatMap((name) => rolesBehind(landmarks, name))),
    ]
    return {
      ...noNames,
      requestRoles,
      identitySettings: ['request.jwt.claims', 'request.jwt.claim.'],
      trustedRoles: authenticators,
      shownRoles: [...requestRoles, 'PUBLIC'],
      note: 'PostgREST becomes one of these roles for each request; `request.jwt.claims` is the token that it has checked.',
    }
  },
}

const findAuthenticators = (landmarks: Landmarks): string[] =>
  [...landmarks.roles]
    .filter(
      ([name, { canLogin, mayConnect, inherits, isSuperuser, settings }]) =>
        canLogin &&
        mayConnect &&
        !isSuperuser &&
        rolesBehind(landmarks, name).some((role) => isUsedHere(landmarks, role)) &&
        ((name === 'authenticator' && !inherits) ||
          settings.some((setting) => setting.startsWith('pgrst.'))),
    )
    .map(([name]) => name)
    .sort()

/**
 * What a login can become: the roles that it is a member of, directly, but for those of another database of the server. What those
 * inherit is theirs.
 */
export const rolesBehind = ({ roles }: Landmarks, login: string): readonly string[] =>
  (roles.get(login)?.memberOf ?? []).filter((name) => {
    const role = roles.get(name)
    return role !== undefined && (role.isUsedHere || !role.isUsedElsewhere)
  })

export const isUsedHere = ({ roles }: Landmarks, role: string): boolean =>
  roles.get(role)?.isUsedHere === true
