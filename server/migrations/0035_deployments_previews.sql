-- Environments of pull requests. The number is the installation's own: pull requests of several repositories have the same ones.
create table previews (
  number int primary key generated always as identity,
  -- `preview-` and the number.
  environment text not null unique generated always as ('preview-' || number) stored,
  repository text not null,
  pull_request int not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- Why it ends; whoever finds it takes the rest down.
  ending text,
  ended_at timestamptz,
  check ((ended_at is not null) <= (ending is not null))
);
create unique index previews_standing on previews (repository, pull_request) where ending is null;
create index previews_unended on previews (number) where ended_at is null;
