/** Bodies of `f(p_text text, p_list text[], p_json jsonb, p_id uuid, p_number integer, p_table regclass, p_record app.words)` in plpgsql. */
export const runsWhatItIsGiven: Readonly<Record<string, string>> = {
  alone: 'begin execute p_text; end',
  'beside a text': `begin execute 'select ' || p_text; end`,
  'in format with %s': `begin execute format('select %s from app.kept', p_text); end`,
  'by its place in format': `begin execute format('select %1$I, %2$s', p_number, p_text); end`,
  'in a form of its own': `begin execute format(p_text, 1); end`,
  'by its number': `begin execute 'select ' || $1; end`,
  'by its full name': `begin execute 'select ' || f.p_text; end`,
  'in quotes of its own': `begin execute 'select ''' || p_text || ''''; end`,
  'in a cast to text': `begin execute 'select ' || p_text::text || p_number::text; end`,
  'through variables': `declare q text := 'select '; begin q := q || trim(p_text); execute q; end`,
  'through a declared one': `declare q text default lower(p_text); begin execute q; end`,
  'through an alias': `declare what alias for $1; begin execute what; end`,
  'through select into': `declare q text; begin select 'select ' || p_text into q; execute q; end`,
  'through a select list': `declare q text; begin select coalesce(p_text, 'select 1') into strict q from app.kept limit 1; execute q; end`,
  'out of json': `begin execute 'select * from app.kept order by ' || (p_json ->> 'order'); end`,
  'out of a list': `begin execute 'select ' || p_list[1]; end`,
  'out of a joined list': `begin execute 'select ' || array_to_string(p_list, ', '); end`,
  'in a loop over a list': `declare one text; begin foreach one in array p_list loop execute one; end loop; end`,
  'in a loop over its rows': `declare one record; begin for one in execute 'select ' || p_text loop null; end loop; end`,
  'into a cursor': `declare c refcursor; begin open c for execute p_text; end`,
  'with values beside it': `declare n bigint; begin execute 'select count(*) from app.kept where ' || p_text into n using p_id; end`,
  'in one branch': `begin execute 'select 1' || case when p_number > 1 then ' where ' || p_text else '' end; end`,
  'where it is not empty': `begin if p_text is not null and p_text <> '' and length(p_text) < 100 then execute p_text; end if; end`,
  'after a comment': `begin execute /* format('%I', p_text) */ 'select ' -- quote_ident(p_text)
    || p_text; end`,
  'after it was quoted elsewhere': `begin raise notice '%', quote_ident(p_text); execute 'select ' || p_text; end`,
  'in a block within a block': `begin begin if true then execute p_text; end if; exception when others then null; end; end`,
  'in a branch of a case': `begin case p_number when 1 then execute p_text; else null; end case; end`,
  'after a case': `begin case p_number when 1 then null; else null; end case; execute p_text; end`,
  'through a pattern': `begin execute regexp_replace('select * from @', '@', p_text); end`,
  'through a pattern, twice': `begin execute regexp_replace(regexp_replace(p_text, 'a', 'b'), 'c', 'd'); end`,
  'with its blanks tidied': `declare q text := regexp_replace(p_text, '\\s+', ' ', 'g'); begin execute q; end`,
  'put together of parts': `begin execute (select string_agg(x, ' ') from unnest(array['select', p_text]) x); end`,
  'put together of a list': `begin execute 'select ' || (select string_agg(one, ', ') from unnest(p_list) as one); end`,
  'put together of what it splits': `begin execute (select string_agg(l.one, ' ') from string_to_table(p_text, ',') as l (one)); end`,
  'out of a record': `begin execute (p_record).said; end`,
  'out of a record by its number': `begin execute 'select ' || ($7).said; end`,
  'out of a variable for a record': `declare r record; begin r := p_record; execute r.said; end`,
  'in what runs SQL': `begin perform query_to_xml(p_text, true, true, ''); end`,
  'through a function of ours': 'begin perform app.runs(p_text); end',
}

export const keepsItApart: Readonly<Record<string, string>> = {
  'as a value': `begin execute 'select $1' using p_text; end`,
  'quoted in format': `begin execute format('select %L', p_text); end`,
  'quoted by functions': `begin execute 'select ' || quote_literal(p_text) || quote_nullable(p_list[1]); end`,
  'as a number': `begin execute 'select * from app.kept limit ' || p_number; end`,
  'as a uuid': `begin execute 'select ''' || p_id || ''''; end`,
  'as a table that is there': `begin execute 'select count(*) from app.kept where ' || p_number; end`,
  'cast to a number': `begin execute 'select ' || p_text::integer; end`,
  'cast in words': `begin execute 'select ' || cast(p_text as integer) || (p_json ->> 'n')::int; end`,
  'held against a list': `begin if p_text not in ('asc', 'desc') then raise exception 'no'; end if; execute 'select 1 order by 1 ' || p_text; end`,
  'held against an array': `begin if not (p_text = any (array['asc', 'desc'])) then return; end if; execute 'select 1 order by 1 ' || p_text; end`,
  'held against a pattern': `begin if p_text !~ '^[a-z]+$' then raise exception 'no'; end if; execute 'select ' || p_text; end`,
  'held against one text': `begin if p_text <> 'kept' then raise exception 'no'; end if; execute 'select * from app.' || p_text; end`,
  'asked by an assert': `begin assert p_text in ('a', 'b'); execute p_text; end`,
  'held against a table': `begin perform 1 from app.kept where body = p_text; if not found then return; end if; execute p_text; end`,
  'chosen by a case': `begin execute 'select 1 order by 1 ' || case p_text when 'up' then 'asc' else 'desc' end; end`,
  'chosen by a case that asks': `declare q text := case when p_text = 'up' then 'asc' else 'desc' end; begin execute 'select 1 order by 1 ' || q; end`,
  'only its length': `begin execute 'select ' || length(p_text); end`,
  'through what may quote it': `begin execute 'select ' || app.tidies(p_text); end`,
  'with its quotes doubled': `begin execute 'select ''' || replace(p_text, '''', '''''') || ''''; end`,
  'asked in a sub-select': `begin execute 'select ' || (select count(*)::text from app.kept where body = p_text); end`,
  'what a query found': `declare q text; begin select body into q from app.kept where id = p_id; execute q; end`,
  'in another variable': `declare q text := 'select 1'; begin perform p_text; execute q; end`,
  'in what it only says': `begin raise notice 'execute %', p_text; end`,
  'in a comment': `begin -- execute p_text
    perform 1; end`,
  'in a text': `begin perform 'execute p_text'; perform $x$ execute p_text; $x$; end`,
  'with all but letters taken away': `begin execute 'select ' || regexp_replace(p_text, '[^a-z_]', '', 'g'); end`,
  'with all but words taken away': `begin execute 'select ' || regexp_replace(p_text, '\\W', '', 'g'); end`,
  'with its quotes doubled by a pattern': `begin execute 'select ''' || regexp_replace(p_text, '''', '''''', 'g') || ''''; end`,
  'how many a list has': `begin execute 'select ' || (select count(*) from unnest(p_list) as one); end`,
  'each quoted out of a list': `begin execute 'select ' || (select string_agg(quote_literal(one), ', ') from unnest(p_list) as one); end`,
  'out of a record, as a number': `begin execute 'select ' || (p_record).amount; end`,
  'out of a record, held against a list': `begin if (p_record).said not in ('a', 'b') then return; end if; execute (p_record).said; end`,
  'a setting that is no role': `begin perform set_config('app.tidy', p_text, true); end`,
  'without any': `begin execute 'analyze app.kept'; end`,
}

/** The name of a table or a column is what its caller says, and it is quoted. */
export const asksWhatItIsTold: Readonly<Record<string, string>> = {
  'in format with %I': `begin execute format('select count(*) from %I', p_text); end`,
  'through quote_ident': `declare q text := 'delete from app.' || quote_ident(p_text); begin execute q; end`,
  'one of a list': `begin execute format('select %I from app.kept', p_list[1]); end`,
}

/** As whoever calls it, who goes on as another. */
export const goesOnAs: Readonly<Record<string, string>> = {
  'set_config of a role': `begin perform set_config('role', p_text, true); end`,
  'set_config of a session': `begin perform pg_catalog.set_config('session_authorization', p_list[1], false); end`,
  'set role in format': `begin execute format('set local role %I', p_text); end`,
}

/** As its owner, who may grant. */
export const grantsTo: Readonly<Record<string, string>> = {
  'a role': `begin execute format('grant keeper to %I', p_text); end`,
  'a table': `declare q text := format('grant select on app.kept to %I', p_text); begin execute q; end`,
  'what a role is': `begin execute 'alter role ' || quote_ident(p_text) || ' createrole'; end`,
}
