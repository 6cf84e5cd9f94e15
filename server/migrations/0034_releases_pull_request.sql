-- A release that is for the environment of this pull request of its repository alone; null for every other one.
alter table releases add column pull_request int;
