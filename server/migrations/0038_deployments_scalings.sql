-- What the scaling of a service remembers between two looks, of the deployment that serves there.
create table scalings (
  service text not null,
  environment text not null,
  deployment uuid not null references deployments (id),
  state jsonb not null,
  primary key (service, environment)
);
