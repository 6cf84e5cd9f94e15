-- The image of a retired release is no longer kept: it can be looked at, not deployed.
alter table releases add column retired_at timestamptz;
