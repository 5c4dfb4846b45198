-- Users are found by a part of their name, address, first or last name: by trigrams of all four in one index. The extension stands
-- beside Postgres wherever it is installed with its usual modules; where it cannot be had, searching reads every user of the realm.
do $$
begin
  create extension if not exists pg_trgm;
  create index user_account_by_part on user_account using gin (
    (username || ' ' || coalesce(email, '') || ' ' || lower(coalesce(first_name, '')) || ' ' || lower(coalesce(last_name, '')))
    gin_trgm_ops) with (fastupdate = off);
exception when others then
  raise warning 'users are searched without an index: %', sqlerrm;
end
$$;
