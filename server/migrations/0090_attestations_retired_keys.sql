-- A key that was replaced: its signatures count on, and its private half is gone. One key signs, never none and never two.
alter table attestation_keys add column retired_at timestamptz;
alter table attestation_keys alter column sealed drop not null;
update attestation_keys set retired_at = now(), sealed = null
  where id <> (select id from attestation_keys order by created_at desc, id limit 1);
create unique index attestation_keys_current on attestation_keys ((true)) where retired_at is null;
alter table attestation_keys add check ((sealed is null) = (retired_at is not null));
