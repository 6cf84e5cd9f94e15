-- Stands until the person approves, or it is withdrawn; a new head does not end it.
create table change_requests (
  repository text not null,
  number int not null,
  user_name text not null,
  revision text not null,
  at timestamptz not null default now(),
  primary key (repository, number, user_name),
  foreign key (repository, number) references pull_requests (repository, number)
);

create table review_comments (
  id uuid primary key,
  repository text not null,
  number int not null,
  author text not null,
  body text not null,
  at timestamptz not null default now(),
  -- A line of a file of a commit; all null for a word on the whole.
  revision text,
  path text,
  side text check (side in ('old', 'new')),
  line int,
  -- The line as it was: its commit may be gone one day.
  line_text text,
  check (num_nulls(revision, path, side, line, line_text) in (0, 5)),
  foreign key (repository, number) references pull_requests (repository, number)
);
create index review_comments_of_one on review_comments (repository, number, at);
create index pull_requests_newest on pull_requests (created_at desc);
