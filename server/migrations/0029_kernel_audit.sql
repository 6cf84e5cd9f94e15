-- The audit log is asked for a person, and by the beginning of a name.
create index events_by_actor on events ((payload ->> 'actor'), id desc);
create index events_by_name on events (name text_pattern_ops, id desc);

-- What happened stays as it was told: no statement of the platform changes or removes an event.
create function refuse_change_of_events() returns trigger language plpgsql as $$
begin
  raise exception 'events are only added';
end $$;
create trigger events_stay before update or delete on events
  for each statement execute function refuse_change_of_events();
