-- One release going to one environment; rollback and promotion too. Kept for ever.
create table deployments (
  id uuid primary key,
  service text not null,
  environment text not null,
  kind text not null check (kind in ('deploy', 'rollback')),
  -- Null where there was no release to deploy.
  release_id uuid,
  release int,
  commit text,
  repository text,
  digest text,
  -- Of the build's deploy step that asked for it.
  request uuid unique,
  build uuid,
  actor text,
  state text not null check (state in ('waiting', 'running', 'finished')),
  phase text,
  -- What the phase waits for just now.
  detail text,
  wait jsonb,
  outcome text check (outcome in ('succeeded', 'rolled-back', 'failed', 'canceled', 'superseded')),
  reason text,
  -- State of core/rollout.ts, and the stack as rendered when it began.
  rollout jsonb,
  stack jsonb,
  -- Rises each time somebody takes the work up; writes under an older number are refused.
  fence bigint not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  -- When all traffic was on it.
  live_at timestamptz,
  finished_at timestamptz,
  check ((state = 'finished') = (outcome is not null)),
  check ((state = 'finished') = (finished_at is not null)),
  check ((state = 'running') <= (rollout is not null))
);
create index deployments_open on deployments (service, environment) where state <> 'finished';
create index deployments_by_lane on deployments (service, environment, created_at desc);
create index deployments_newest on deployments (created_at desc);
create index deployments_served on deployments (release_id, environment) where outcome = 'succeeded';

-- The lock of each service in each environment, and what serves there.
create table lanes (
  service text not null,
  environment text not null,
  running uuid references deployments (id),
  serving uuid references deployments (id),
  primary key (service, environment)
);

create table deployment_steps (
  deployment uuid not null references deployments (id),
  position int not null,
  phase text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  detail text,
  primary key (deployment, position)
);

-- Backing services as they should run; `generation` rises when the specification changes.
create table backings (
  environment text not null,
  name text not null,
  generation int not null,
  spec jsonb not null,
  primary key (environment, name)
);

-- Images that deployments brought onto the host: what may be removed there again, and nothing else.
create table pulled_images (
  image text primary key,
  service text not null,
  digest text not null
);
create index pulled_images_by_service on pulled_images (service);
