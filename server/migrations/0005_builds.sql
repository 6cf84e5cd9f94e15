create table build_numbers (
  repository text primary key,
  last int not null
);

create table builds (
  id uuid primary key,
  -- Order of creation over all repositories: older builds get agents first.
  sequence bigserial not null unique,
  repository text not null,
  number int not null,
  branch text not null,
  commit text not null,
  source text not null check (source in ('push', 'pull-request', 'api', 'schedule')),
  creator text,
  -- Known once the commit was read.
  message text,
  author text,
  service text,
  manifest jsonb,
  warnings jsonb not null default '[]',
  -- Why the build could not be planned: code, message, place and the list of faults.
  fault jsonb,
  -- `preparing` until there is a plan; then derived from the machine, never set by hand.
  state text not null
    check (state in ('preparing', 'scheduled', 'running', 'failing', 'blocked', 'canceling', 'finished')),
  outcome text check (outcome in ('passed', 'failed', 'canceled')),
  -- The build's state as `pipeline/machine` keeps it; absent while preparing and after a fault.
  machine jsonb,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  unique (repository, number),
  check ((state = 'finished') = (outcome is not null))
);
create index builds_by_branch on builds (repository, branch, sequence desc);
create index builds_by_commit on builds (repository, commit);
create index builds_unfinished on builds (sequence) where state <> 'finished';

-- What happened to each build, as the machine said it: its state can be made again from these.
create table build_events (
  id bigserial primary key,
  build uuid not null references builds (id),
  event jsonb not null
);
create index build_events_by_build on build_events (build, id);

-- One row for each step that runs on an agent: the machine's word in columns, for claiming and for the clock.
create table build_jobs (
  id uuid primary key,
  build uuid not null references builds (id),
  step text not null,
  position int not null,
  kind text not null,
  -- Tags that the agent must have, `queue` always among them.
  tags jsonb not null,
  state text not null,
  attempt int not null default 0,
  -- SHA-256 of the fencing token of the attempt at work.
  token_hash text,
  agent text,
  lease_until timestamptz,
  unique (build, step)
);
create index build_jobs_runnable on build_jobs (build, position) where state = 'runnable';
create index build_jobs_leased on build_jobs (lease_until) where lease_until is not null;
create index build_jobs_by_agent on build_jobs (agent) where agent is not null;

-- One row for each deployment that a build asked for.
create table build_deploy_requests (
  request uuid primary key,
  build uuid not null references builds (id),
  step text not null,
  canceled boolean not null default false
);
create index build_deploy_requests_by_build on build_deploy_requests (build);

-- Where the log of an attempt stands; its bytes are in the file that job and attempt name.
create table build_logs (
  job uuid not null references build_jobs (id),
  attempt int not null,
  -- The sequence that is expected next.
  next int not null default 0,
  -- Bytes that the agent has sent.
  received bigint not null default 0,
  -- Bytes in the file: fewer than received once the limit was reached.
  size bigint not null default 0,
  complete boolean not null default false,
  primary key (job, attempt)
);

-- Agents that were heard of, so that a waiting job can say that nobody would take it.
create table build_agents (
  name text primary key,
  tags jsonb not null,
  -- Differs after every start of the agent.
  instance text,
  last_seen timestamptz not null
);
