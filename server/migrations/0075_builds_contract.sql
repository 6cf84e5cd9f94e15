-- Started by a contract that its service has not verified.
alter table builds drop constraint builds_source_check;
alter table builds add constraint builds_source_check
  check (source in ('push', 'pull-request', 'api', 'schedule', 'webhook', 'trigger', 'contract'));
