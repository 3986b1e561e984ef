import { ownTable, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const me = '(select pie_schema.current_user_id())'

/** Tables in which everybody may make rows of their own, with a key that is not theirs alone. */
const keys: PlantedFault[] = [
  ...['text', 'varchar(80)', 'date'].map((type, place) => ({
    rule: 'key-tells-of-hidden-rows',
    object: `constraint {taken_${place}} on {s}.{named_${place}}`,
    isByHand: true as const,
    sql: `${ownTable(`named_${place}`, `, {mark} ${type} constraint {taken_${place}} unique`, 'select')}
      grant insert ({id}, {owner_id}, {mark}) on {s}.{named_${place}} to webuser;`,
  })),
  {
    rule: 'key-tells-of-hidden-rows',
    object: 'index {s}.{lower_key}',
    isByHand: true,
    sql: `${ownTable('lowered', ', {mail} text', 'select, update ({mail})')}
      create unique index {lower_key} on {s}.{lowered} (lower({mail}));`,
  },
  {
    rule: 'key-tells-of-hidden-rows',
    object: 'constraint {apart} on {s}.{booked}',
    isByHand: true,
    sql: `${ownTable('booked', ', {day} daterange, constraint {apart} exclude using gist ({day} with &&)', 'select')}
      grant insert ({id}, {owner_id}, {day}) on {s}.{booked} to webuser;`,
  },
  {
    // Who may only write learns who has written.
    rule: 'key-tells-of-hidden-rows',
    object: 'constraint {subscribed} on {s}.{news}',
    isByHand: true,
    sql: `${soundTable('news', ', {mail} text constraint {subscribed} unique')}
      create policy {news_by_users} on {s}.{news} for insert to webuser with check (${me} is not null);
      grant insert ({id}, {mail}) on {s}.{news} to webuser;`,
  },
]

const references: PlantedFault[] = [
  ...['integer', 'integer not null'].map((type, place) => ({
    rule: 'foreign-key-tells-of-hidden-rows',
    object: `foreign key {hung_${place}} on {s}.{hanging_${place}}`,
    sql: `${ownTable(`hooks_${place}`, '', 'select')}
      ${ownTable(`hanging_${place}`, `, {hook_id} ${type} constraint {hung_${place}} references {s}.{hooks_${place}} on delete cascade`, 'select')}
      create index on {s}.{hanging_${place}} ({hook_id});
      grant insert ({id}, {owner_id}, {hook_id}), update ({hook_id}) on {s}.{hanging_${place}} to webuser;`,
  })),
  {
    // What it refers to is not even granted: the policy would be refused.
    rule: 'foreign-key-tells-of-hidden-rows',
    object: 'foreign key {hidden_box} on {s}.{contents}',
    isByHand: true,
    sql: `${soundTable('boxes')}
      ${ownTable('contents', ', {box_id} integer constraint {hidden_box} references {s}.{boxes} on delete cascade', 'select')}
      create index on {s}.{contents} ({box_id});
      grant insert ({id}, {owner_id}, {box_id}) on {s}.{contents} to webuser;`,
  },
]

const secrets: PlantedFault[] = [
  {
    rule: 'sensitive-column-readable',
    object: 'grant to webuser on table {s}.{people}',
    sql: `${soundTable('people', ', password_hash text')}
      create policy {people_all} on {s}.{people} for select to webuser using (true);
      grant select on {s}.{people} to webuser;`,
  },
  {
    rule: 'sensitive-column-readable',
    object: 'grant to webadmin on table {s}.{clients}',
    sql: `${soundTable('clients', ', "apiKey" text, ssn text')}
      create policy {clients_all} on {s}.{clients} for select to webadmin using (true);
      grant select on {s}.{clients} to webadmin;`,
  },
  {
    rule: 'sensitive-column-readable',
    object: 'grant to webuser on table {s}.{tokens}',
    sql: `${soundTable('tokens', ', refresh_token text')}
      create policy {tokens_all} on {s}.{tokens} for select to webuser using (true);
      grant select ({id}, refresh_token) on {s}.{tokens} to webuser;`,
  },
  ...['token', 'stripe_token', 'pushToken', 'share_token_hash'].map((column, place) => ({
    rule: 'sensitive-column-readable',
    object: `grant to webuser on table {s}.{tokens_${place}}`,
    sql: `${soundTable(`tokens_${place}`, `, "${column}" text, token_count integer`)}
      create policy {tokens_all} on {s}.{tokens_${place}} for select to webuser using (true);
      grant select on {s}.{tokens_${place}} to webuser;`,
  })),
  ...Object.entries({ ones: '1 = 1', twice: '1 = 1 and true', nots: 'not false' }).map(
    ([name, using]) => ({
      rule: 'sensitive-column-readable',
      object: `grant to webuser on table {s}.{${name}}`,
      sql: `${soundTable(name, ', ssn text')}
        create policy {${name}_all} on {s}.{${name}} for select to webuser using (${using});
        grant select ({id}, ssn) on {s}.{${name}} to webuser;`,
    }),
  ),
]

export const faultsOfLeaks: readonly PlantedFault[] = [...keys, ...references, ...secrets]
