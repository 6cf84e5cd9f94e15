-- Every event, for ever: outbox, audit log and timeline in one.
create table events (
  id bigserial primary key,
  name text not null,
  subject text not null,
  payload jsonb not null,
  at timestamptz not null default now()
);
create index events_by_subject on events (subject, id);

-- One row for each subscriber that has not yet taken the event; in order per (subscriber, subject).
create table deliveries (
  subscriber text not null,
  event_id bigint not null references events (id),
  subject text not null,
  attempts int not null default 0,
  next_at timestamptz not null default now(),
  last_error text,
  primary key (subscriber, event_id)
);
create index deliveries_in_order on deliveries (subscriber, subject, event_id);
create index deliveries_due on deliveries (next_at);

-- Work to be done in the background. What is at work is known to the one process that runs jobs, not written here.
create table jobs (
  id bigserial primary key,
  task text not null,
  payload jsonb not null,
  key text unique,
  run_at timestamptz not null,
  -- Counts replacements: the end of a run removes a job only when nothing took its place meanwhile.
  revision int not null default 0,
  failures int not null default 0,
  last_error text
);
create index jobs_by_time on jobs (run_at, id);
