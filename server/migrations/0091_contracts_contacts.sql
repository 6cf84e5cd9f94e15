-- Whom to ask about an environment, as the clients' `--contact-name` and `--contact-email-address` say.
alter table contract_environments add column contacts jsonb not null default '[]';
