create table users (
  name text primary key,
  role text not null check (role in ('viewer', 'developer', 'analyst', 'lead', 'admin')),
  created_at timestamptz not null default now()
);

-- Secrets of tokens are kept as SHA-256 only: 256 random bits need no slow hash.
create table tokens (
  id uuid primary key,
  hash text not null unique,
  kind text not null check (kind in ('user', 'agent', 'job')),
  name text not null,
  user_name text references users (name),
  -- What a job's token reaches: {"build": …, "repositories": {"catalog": ["pull", "push"]}}.
  grants jsonb not null default '{}',
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  check ((kind = 'user') = (user_name is not null))
);
create index tokens_by_user on tokens (user_name);
