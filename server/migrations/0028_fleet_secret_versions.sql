-- Another number whenever the value is set: a deployment keeps the numbers of the values that it gave to its instances. From one
-- sequence for all, so that a value which was deleted and set again is another one too.
create sequence secret_versions;
alter table secrets add column version bigint not null default nextval('secret_versions');
