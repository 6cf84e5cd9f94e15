-- The address of a service in an environment; it stays when releases come and go.
create table routes (
  service text not null,
  environment text not null,
  -- Port of the balancer inside the environment's network.
  internal_port int not null unique check (internal_port between 10000 and 29999),
  -- The pool that gets the traffic.
  pool text not null,
  primary key (service, environment)
);

create table route_hosts (
  host text primary key,
  service text not null,
  environment text not null,
  foreign key (service, environment) references routes (service, environment) on delete cascade
);

-- A set of slots that are checked in one way. A route has a second one while releases with another health path take over.
create table pools (
  id text primary key,
  environment text not null,
  -- Null for the pool by which a backing service is probed.
  service text,
  number int not null,
  health_path text,
  slots int not null check (slots between 1 and 64),
  foreign key (service, environment) references routes (service, environment) on delete cascade
);

-- Occupied slots, as they should be; the balancer is brought to this.
create table slots (
  pool text not null references pools (id) on delete cascade,
  position int not null,
  instance text not null unique,
  host text not null,
  port int not null,
  state text not null check (state in ('ready', 'drain', 'maint')),
  primary key (pool, position)
);
