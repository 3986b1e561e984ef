import { grants, policyForOwner, relations } from '../catalog-sources.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

export const tableWithoutRowLevelSecurity: Rule = {
  name: 'table-without-row-level-security',
  why: 'Without row-level security, whoever is granted the table sees every row of everybody.',
  query: `
    select 'table ' || name as object,
      format(e'alter table %s enable row level security;\\nalter table %1$s force row level security;', name)
        || case when relispartition then '' else ${policyForOwner} end as mend
    from ${relations} as r
    where relkind in ('r', 'p') and not relrowsecurity`,
}

/** A restrictive policy only takes away. A partition is read through its table, whose policies hold; on its own it shows nothing. */
export const tableWithoutPolicy: Rule = {
  name: 'table-without-policy',
  why:
    'Row-level security without a policy shows nobody any row: what is granted looks as if it worked, and ' +
    'the policy that comes later, in haste, is wider than it had to be.',
  query: `
    select 'table ' || name as object, '-- and one for those who are granted it: which rows are theirs?'
      || ${policyForOwner} as mend
    from ${relations} as r
    where relkind in ('r', 'p') and relrowsecurity
      and not exists (select from pg_policy where polrelid = r.oid and polpermissive)
      and (not relispartition or exists (select from ${grants} as g where g.oid = r.oid))`,
}

/** docs/decisions/0004 */
export const rowLevelSecurityNotForced: Rule = {
  name: 'row-level-security-not-forced',
  why:
    'Policies do not hold for the owner unless they are forced, and every security definer function ' +
    'and every view of the owner acts as the owner.',
  query: `
    select 'table ' || name as object, format('alter table %s force row level security;', name)
      || case when relispartition then '' else ${policyForOwner} end as mend
    from ${relations} as r
    where relkind in ('r', 'p') and relrowsecurity and not relforcerowsecurity`,
}
