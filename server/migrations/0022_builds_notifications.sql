-- While a build stands at a gate: as what that gate wants it to be seen.
alter table builds add column blocked_state text;

-- What became of the notifications of a build; each is one delivery, tried until it is taken or given up.
create table build_notifications (
  -- What the receiver sees as `X-Towline-Delivery`.
  id text primary key,
  build uuid not null references builds (id),
  -- Of the receiver, without what may be a secret in it.
  address text not null,
  event text not null,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given-up')),
  tries int not null default 0,
  -- HTTP status of the last answer; null where there was none.
  status int,
  -- Why the last try was no success.
  error text,
  created_at timestamptz not null,
  tried_at timestamptz,
  next_at timestamptz
);
create index build_notifications_by_build on build_notifications (build, created_at desc);
create index build_notifications_by_age on build_notifications (created_at);
