-- How often, and from where, a grant is used: administrators and users see it. Null in rows of before.
alter table chain add column refreshes bigint;
alter table chain add column last_ip_address text;
