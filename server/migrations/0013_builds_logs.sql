-- How far a log has come is what its file has: no part of a log costs a write here any more.
alter table build_logs drop column next, drop column received, drop column size;
alter table build_logs
  -- Known once it is complete and was looked at.
  add column bytes bigint,
  add column completed_at timestamptz,
  -- Its bytes were removed, because it was old or logs took too much room.
  add column removed_at timestamptz;
update build_logs set completed_at = now() where complete;
create index build_logs_kept on build_logs (completed_at) where complete and removed_at is null;
