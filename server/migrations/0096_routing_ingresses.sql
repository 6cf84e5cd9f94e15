-- Machines of a cluster that take traffic from outside, besides the one of the control plane.
create table ingresses (
  name text primary key,
  token uuid not null,
  -- People may be reaching it: until it knows of a change, nothing that it sends requests to may end.
  serves boolean not null default false,
  created_at timestamptz not null default now()
);
