/** Functions that are security definer, and what they let a request reach. */
import type { Catalog, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { judgeDefiner } from '../bodies/judge-definer.ts'
import { calledAs, callersOf, grantedAs, namesOfRoles } from '../rights/askers.ts'
import type { Fault, Rule } from '../rule.ts'
import { asksWho } from '../sql-text/asks-who.ts'
import { bodyOf } from '../sql-text/body-of.ts'
import { isSign } from '../sql-text/find-names.ts'
import { askedFunctions, isTriggerFunction } from './functions.ts'

export const securityDefinerAsksNobody: Rule = {
  name: 'security-definer-asks-nobody',
  weight: 'leak',
  why:
    'It goes past policies as its owner and takes its caller’s word for who asks, or does not ask at all: whoever may call it ' +
    'reads or writes what is somebody else’s.',
  find: (catalog, names) =>
    [...askedFunctions(catalog)]
      .filter((routine) => routine.isSecurityDefiner && !isTriggerFunction(catalog, routine))
      .flatMap((routine) => faultOf(catalog, names, routine)),
}

function faultOf(catalog: Catalog, names: Names, routine: Routine): Fault[] {
  const callers = actedFor(catalog, names, callersOf(catalog, routine))
  const judged = callers.length === 0 ? null : judgeDefiner(catalog, routine, callers)
  if (judged === null || asksWho(catalog, names, routine)) return []
  const who = namesOfRoles(catalog, callers)
  return [
    {
      object: calledAs(routine),
      weight: judged.weight,
      detail: `${who} may execute it, and it ${judged.does}`,
      mend: `-- until it asks who asks\nrevoke execute on ${grantedAs(routine)} from ${who};`,
    },
  ]
}

/**
 * A role that logs in is a server's, which says who asks by whatever means, and so is one that is trusted: what is asked
 * about are those that a server takes on for somebody else.
 */
function actedFor({ roles }: Catalog, names: Names, callers: readonly number[]): number[] {
  const trusted = names.trustedRoles
  return callers.filter((oid) => {
    const role = roles.get(oid)
    return role === undefined || !(role.canLogin || trusted.includes(role.name))
  })
}

export const securityDefinerAsksCurrentUser: Rule = {
  name: 'security-definer-asks-current-user',
  weight: 'failure',
  why:
    'Within a function that is security definer, current_user is its owner, whoever calls it: what it decides by that it decides ' +
    'for everybody alike, and what it notes down is wrong.',
  find: (catalog) =>
    [...askedFunctions(catalog)]
      .filter(({ isSecurityDefiner }) => isSecurityDefiner)
      .filter((routine) =>
        bodyOf(routine).some(
          ({ type, value }, place, tokens) =>
            type === 'word' &&
            (value === 'current_user' || value === 'current_role') &&
            !isSign(tokens[place - 1], '.'),
        ),
      )
      .map((routine) => ({
        object: calledAs(routine),
        mend:
          '-- or ask in its body what says who asks\n' +
          `alter ${calledAs(routine)} security invoker;`,
      })),
}

export const functionOutsideDatabase: Rule = {
  name: 'function-outside-database',
  weight: 'hole',
  why:
    'What is written in a language that is not trusted does what the server’s account may do on its machine, files and ' +
    'programs: no grant and no policy holds it, security definer or not.',
  find: (catalog) =>
    [...askedFunctions(catalog)].flatMap((routine) => {
      const { language } = routine
      if (catalog.detours.trustedLanguages.has(language) || routine.kind === 'aggregate') return []
      const callers = callersOf(catalog, routine)
      if (callers.length === 0) return []
      const who = namesOfRoles(catalog, callers)
      return [
        {
          object: calledAs(routine),
          ...(language === 'internal' || language === 'c' ? { weight: 'leak' as const } : {}),
          detail:
            language === 'internal'
              ? `${who} may execute it, and it stands for one of Postgres’ own, whose grants it does not have`
              : `${who} may execute it, and it is in ${language}`,
          mend: `revoke execute on ${grantedAs(routine)} from ${who};`,
        },
      ]
    }),
}
