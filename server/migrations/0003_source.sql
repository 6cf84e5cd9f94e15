create table repositories (
  name text primary key,
  default_branch text not null default 'main',
  allow_direct_push boolean not null default false,
  required_approvals int not null default 1 check (required_approvals >= 0),
  require_build boolean not null default true,
  next_number int not null default 1,
  created_at timestamptz not null default now()
);

-- What the last `source.ref-changed` of each ref said; Git's own refs are compared with it.
create table refs (
  repository text not null references repositories (name),
  name text not null,
  revision text not null,
  -- Who moved it last, where known.
  actor text,
  primary key (repository, name)
);

create table pull_requests (
  repository text not null references repositories (name),
  number int not null,
  title text not null,
  body text not null,
  branch text not null,
  author text not null,
  head text not null,
  state text not null default 'open' check (state in ('open', 'merged', 'closed')),
  -- Written before Git's ref moves: a killed server finds by it who merged.
  merge_commit text,
  ended_by text,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (repository, number)
);
create unique index pull_requests_one_open_a_branch on pull_requests (repository, branch) where state = 'open';

-- An approval is of one revision; when the head moves on it counts no more.
create table approvals (
  repository text not null,
  number int not null,
  user_name text not null,
  revision text not null,
  at timestamptz not null default now(),
  primary key (repository, number, user_name),
  foreign key (repository, number) references pull_requests (repository, number)
);

-- How the newest finished build of a commit ended, as `builds.build-finished` told it.
create table checks (
  repository text not null,
  commit text not null,
  build uuid not null,
  number int not null,
  outcome text not null check (outcome in ('passed', 'failed', 'canceled')),
  at timestamptz not null default now(),
  primary key (repository, commit)
);
