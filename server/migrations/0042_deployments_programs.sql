-- Programs that people run inside of instances: a row from before the start until the end is told, so that one whose server died is ended and told too.
create table programs (
  id uuid primary key,
  service text not null,
  environment text not null,
  instance text not null,
  actor text not null,
  started_at timestamptz not null
);
