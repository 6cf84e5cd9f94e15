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
