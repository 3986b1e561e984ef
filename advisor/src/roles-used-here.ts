/**
 * Roles are the cluster's, and those of its other databases are none of this one's. A role is used here when it owns, was
 * granted or is named by a policy of something in this database, was granted something on the database itself, or is a
 * member of one that is used. For `with recursive`; `used` has the oid of each.
 */
export const usedHere = `here as (select oid from pg_database where datname = current_database()),
  used (oid) as (
    select refobjid from pg_shdepend, here
    where refclassid = 'pg_authid'::regclass
      and (dbid = here.oid or dbid = 0 and classid = 'pg_database'::regclass and objid = here.oid)
    union
    select member from used join pg_auth_members on roleid = used.oid
  )`
