-- Attempts are counted by network. A server on IPv6 sees an IPv4 client as an IPv6 address with the client's own in its
-- last four bytes, and one that writes it in hexadecimal had all of them in a single /64: one stranger's guesses
-- held up everybody. Pie counts each by itself now, and so does this, for whatever comes here by another way.

-- The three prefixes that have an IPv4 address in their last four bytes: mapped (RFC 4291, section 2.5.5.2), translated
-- (RFC 6145) and of a translator (RFC 6052).
create or replace function pie_private.network_of(address inet) returns text
  language plpgsql immutable
  set search_path = pg_catalog, pg_temp
as $$
declare
  plain inet := case
    when address <<= inet '::ffff:0:0/96' then inet '0.0.0.0' + (set_masklen(address, 128) - inet '::ffff:0:0')
    when address <<= inet '::ffff:0:0:0/96' then inet '0.0.0.0' + (set_masklen(address, 128) - inet '::ffff:0:0:0')
    when address <<= inet '64:ff9b::/96' then inet '0.0.0.0' + (set_masklen(address, 128) - inet '64:ff9b::')
    else address
  end;
begin
  return network(set_masklen(plain, case family(plain) when 6 then 64 else 32 end))::text;
end
$$;
comment on function pie_private.network_of(inet) is
  'The network that an address is counted by: IPv4 by itself, also inside IPv6, and IPv6 by its /64.';
