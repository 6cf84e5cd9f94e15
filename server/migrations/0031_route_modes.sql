-- A route in maintenance answers with a page, a paused one holds what comes; both end by themselves.
alter table routes
  add column mode text not null default 'open' check (mode in ('open', 'maintenance', 'paused')),
  add column mode_until timestamptz,
  add check ((mode = 'open') = (mode_until is null));
