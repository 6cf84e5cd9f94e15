-- Whom the broker of contracts calls when something happens to a contract.
create table contract_webhooks (
  uuid text primary key,
  description text,
  -- Of which contracts: by name, by label, or of all.
  consumer bigint references contract_pacticipants (id) on delete cascade,
  consumer_label text,
  provider bigint references contract_pacticipants (id) on delete cascade,
  provider_label text,
  events text[] not null,
  enabled boolean not null,
  -- The request, as json, sealed: its headers and its address often are secrets.
  sealed text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- The calls that were made of it, or will be: each one thing that happened, tried until it is taken or given up.
create table contract_webhook_calls (
  uuid uuid primary key,
  webhook text not null references contract_webhooks (uuid) on delete cascade,
  event text not null,
  consumer text not null,
  provider text not null,
  -- Of the consumer.
  number text not null,
  -- What the variables of the template stood for, as json.
  variables text not null,
  state text not null check (state in ('waiting', 'success', 'failure')),
  tries int not null default 0,
  -- Of all tries, without secrets.
  log text not null default '',
  created_at timestamptz not null default now(),
  tried_at timestamptz,
  next_at timestamptz
);
create index contract_webhook_calls_by_webhook on contract_webhook_calls (webhook, created_at desc);
create index contract_webhook_calls_by_pact on contract_webhook_calls (consumer, provider, number);
