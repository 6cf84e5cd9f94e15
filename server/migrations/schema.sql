create table approvals (
  repository text not null,
  number integer not null,
  user_name text not null,
  revision text not null,
  at timestamp with time zone not null default now(),
  FOREIGN KEY (repository, number) REFERENCES pull_requests(repository, number),
  PRIMARY KEY (repository, number, user_name)
);

create table attestation_keys (
  id text not null,
  public_key text not null,
  sealed text,
  created_at timestamp with time zone not null,
  retired_at timestamp with time zone,
  CHECK (((sealed IS NULL) = (retired_at IS NOT NULL))),
  PRIMARY KEY (id)
);

create table attestations (
  release uuid not null,
  service text not null,
  number integer not null,
  image text not null,
  digest text not null,
  commit text not null,
  state text not null,
  reason text,
  tries integer not null default 0,
  packages integer,
  changed_at timestamp with time zone not null,
  attached text[] not null default '{}'::text[],
  CHECK ((state = ANY (ARRAY['waiting'::text, 'made'::text, 'failed'::text]))),
  PRIMARY KEY (release)
);

create table backing_works (
  id uuid not null,
  kind text not null,
  environment text not null,
  name text not null,
  state text not null,
  phase text not null,
  ending text,
  detail text,
  actor text not null,
  of_restore uuid,
  image text not null,
  format text not null,
  digest text,
  size bigint not null default 0,
  source uuid,
  safety uuid,
  former_volume text,
  held jsonb,
  cancel_by text,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  CHECK (((kind = 'restore'::text) = (source IS NOT NULL))),
  CHECK (((state = 'running'::text) = (finished_at IS NULL))),
  CHECK ((ending = ANY (ARRAY['failed'::text, 'canceled'::text]))),
  CHECK ((kind = ANY (ARRAY['backup'::text, 'restore'::text]))),
  CHECK ((state = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text]))),
  PRIMARY KEY (id)
);

create table backings (
  environment text not null,
  name text not null,
  generation integer not null,
  spec jsonb not null,
  volume text,
  removing boolean not null default false,
  PRIMARY KEY (environment, name)
);

create table build_agents (
  name text not null,
  tags jsonb not null,
  instance text,
  last_seen timestamp with time zone not null,
  PRIMARY KEY (name)
);

create table build_annotations (
  build uuid not null,
  context text not null,
  style text not null,
  priority integer not null,
  body text not null,
  created_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  FOREIGN KEY (build) REFERENCES builds(id),
  PRIMARY KEY (build, context)
);

create table build_artifacts (
  id uuid not null,
  build uuid not null,
  job uuid not null,
  attempt integer not null,
  path text not null,
  size bigint not null,
  sha1 text not null,
  digest text not null,
  content_type text not null,
  complete boolean not null default false,
  created_at timestamp with time zone not null,
  FOREIGN KEY (build) REFERENCES builds(id),
  FOREIGN KEY (job) REFERENCES build_jobs(id),
  PRIMARY KEY (id)
);

create table build_deploy_requests (
  request uuid not null,
  build uuid not null,
  step text not null,
  canceled boolean not null default false,
  FOREIGN KEY (build) REFERENCES builds(id),
  PRIMARY KEY (request)
);

create table build_deployed (
  repository text not null,
  environment text not null,
  commit text not null,
  service text not null default ''::text,
  PRIMARY KEY (repository, service, environment)
);

create table build_events (
  id bigint not null default nextval('build_events_id_seq'::regclass),
  build uuid not null,
  event jsonb not null,
  FOREIGN KEY (build) REFERENCES builds(id),
  PRIMARY KEY (id)
);

create table build_images (
  name text not null,
  resolved text not null,
  seen_at timestamp with time zone not null,
  PRIMARY KEY (name)
);

create table build_jobs (
  id uuid not null,
  build uuid not null,
  step text not null,
  position integer not null,
  kind text not null,
  tags jsonb not null,
  state text not null,
  attempt integer not null default 0,
  token_hash text,
  agent text,
  lease_until timestamp with time zone,
  sequence bigint not null,
  priority integer not null default 0,
  slot_group text,
  wrote_attempt integer not null default 0,
  FOREIGN KEY (build) REFERENCES builds(id),
  PRIMARY KEY (id),
  UNIQUE (build, step)
);

create table build_logs (
  job uuid not null,
  attempt integer not null,
  complete boolean not null default false,
  bytes bigint,
  completed_at timestamp with time zone,
  removed_at timestamp with time zone,
  of_job uuid,
  of_attempt integer,
  FOREIGN KEY (job) REFERENCES build_jobs(id),
  PRIMARY KEY (job, attempt)
);

create table build_meta_data (
  build uuid not null,
  key text not null,
  value text not null,
  changed_at timestamp with time zone not null,
  FOREIGN KEY (build) REFERENCES builds(id),
  PRIMARY KEY (build, key)
);

create table build_notifications (
  id text not null,
  build uuid not null,
  address text not null,
  event text not null,
  state text not null default 'waiting'::text,
  tries integer not null default 0,
  status integer,
  error text,
  created_at timestamp with time zone not null,
  tried_at timestamp with time zone,
  next_at timestamp with time zone,
  CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'given-up'::text]))),
  FOREIGN KEY (build) REFERENCES builds(id),
  PRIMARY KEY (id)
);

create table build_numbers (
  repository text not null,
  last integer not null,
  PRIMARY KEY (repository)
);

create table build_results (
  repository text not null,
  key text not null,
  branch text not null,
  build uuid not null,
  number integer not null,
  job uuid not null,
  attempt integer not null,
  artifacts integer not null,
  image text,
  resolved text,
  at timestamp with time zone not null,
  FOREIGN KEY (build) REFERENCES builds(id),
  FOREIGN KEY (job) REFERENCES build_jobs(id),
  PRIMARY KEY (repository, key, branch)
);

create table build_schedules (
  repository text not null,
  name text not null,
  cron text not null,
  zone text not null,
  branch text not null,
  env jsonb not null default '{}'::jsonb,
  creator text not null,
  created_at timestamp with time zone not null,
  next_at timestamp with time zone not null,
  last_at timestamp with time zone,
  last_build integer,
  last_error text,
  PRIMARY KEY (repository, name)
);

create table build_slots (
  build uuid not null,
  step text not null,
  group_name text not null,
  slot_limit integer not null,
  ordered boolean not null,
  is_job boolean not null,
  sequence bigint not null,
  position integer not null,
  held boolean not null default false,
  FOREIGN KEY (build) REFERENCES builds(id),
  PRIMARY KEY (build, step)
);

create table build_test_quarantines (
  id uuid not null,
  test bigint not null,
  owner text not null,
  reason text not null,
  expires_at timestamp with time zone not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  released_at timestamp with time zone,
  FOREIGN KEY (test) REFERENCES build_tests(id),
  PRIMARY KEY (id)
);

create table build_test_reports (
  job uuid not null,
  attempt integer not null,
  build uuid not null,
  complete boolean not null default false,
  faults jsonb not null default '[]'::jsonb,
  at timestamp with time zone not null,
  of_job uuid,
  of_attempt integer,
  FOREIGN KEY (build) REFERENCES builds(id),
  FOREIGN KEY (job) REFERENCES build_jobs(id),
  PRIMARY KEY (job, attempt)
);

create table build_test_results (
  job uuid not null,
  attempt integer not null,
  test bigint not null,
  outcome text not null,
  flaky boolean not null,
  quarantined boolean not null,
  retries integer not null,
  ms integer,
  file text,
  line integer,
  message text,
  detail text,
  at timestamp with time zone not null,
  CHECK ((outcome = ANY (ARRAY['passed'::text, 'failed'::text, 'error'::text, 'skipped'::text]))),
  FOREIGN KEY (job, attempt) REFERENCES build_test_reports(job, attempt) ON DELETE CASCADE,
  FOREIGN KEY (test) REFERENCES build_tests(id),
  PRIMARY KEY (job, attempt, test)
);

create table build_tests (
  id bigint not null default nextval('build_tests_id_seq'::regclass),
  repository text not null,
  scope text not null,
  name text not null,
  digest text not null,
  PRIMARY KEY (id),
  UNIQUE (repository, digest)
);

create table build_webhook_calls (
  repository text not null,
  signature text not null,
  at timestamp with time zone not null,
  FOREIGN KEY (repository) REFERENCES build_webhooks(repository) ON DELETE CASCADE,
  PRIMARY KEY (repository, signature)
);

create table build_webhooks (
  repository text not null,
  sealed text not null,
  creator text not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (repository)
);

create table builds (
  id uuid not null,
  sequence bigint not null default nextval('builds_sequence_seq'::regclass),
  repository text not null,
  number integer not null,
  branch text not null,
  commit text not null,
  source text not null,
  creator text,
  message text,
  author text,
  service text,
  manifest jsonb,
  warnings jsonb not null default '[]'::jsonb,
  fault jsonb,
  state text not null,
  outcome text,
  machine jsonb,
  created_at timestamp with time zone not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  tag text,
  pull_request integer,
  env jsonb not null default '{}'::jsonb,
  superseded_by integer,
  parent jsonb,
  ancestors uuid[] not null default '{}'::uuid[],
  blocked_state text,
  folder text not null default ''::text,
  CHECK (((state = 'finished'::text) = (outcome IS NOT NULL))),
  CHECK ((outcome = ANY (ARRAY['passed'::text, 'failed'::text, 'canceled'::text]))),
  CHECK ((source = ANY (ARRAY['push'::text, 'pull-request'::text, 'api'::text, 'schedule'::text, 'webhook'::text, 'trigger'::text, 'contract'::text]))),
  CHECK ((state = ANY (ARRAY['preparing'::text, 'scheduled'::text, 'running'::text, 'failing'::text, 'blocked'::text, 'canceling'::text, 'finished'::text]))),
  PRIMARY KEY (id),
  UNIQUE (repository, number),
  UNIQUE (sequence)
);

create table change_requests (
  repository text not null,
  number integer not null,
  user_name text not null,
  revision text not null,
  at timestamp with time zone not null default now(),
  FOREIGN KEY (repository, number) REFERENCES pull_requests(repository, number),
  PRIMARY KEY (repository, number, user_name)
);

create table checks (
  repository text not null,
  commit text not null,
  build uuid not null,
  number integer not null,
  outcome text not null,
  at timestamp with time zone not null default now(),
  of_services boolean not null default false,
  CHECK ((outcome = ANY (ARRAY['passed'::text, 'failed'::text, 'canceled'::text]))),
  PRIMARY KEY (repository, commit)
);

create table contract_branches (
  pacticipant bigint not null,
  branch text not null,
  version bigint not null,
  FOREIGN KEY (pacticipant) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  FOREIGN KEY (version) REFERENCES contract_versions(id) ON DELETE CASCADE,
  PRIMARY KEY (pacticipant, branch, version)
);

create table contract_contents (
  id bigint not null,
  consumer bigint not null,
  provider bigint not null,
  sha text not null,
  content text not null,
  created_at timestamp with time zone not null default now(),
  FOREIGN KEY (consumer) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  FOREIGN KEY (provider) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  PRIMARY KEY (id),
  UNIQUE (consumer, provider, sha)
);

create table contract_environments (
  uuid uuid not null,
  name text not null,
  display_name text,
  production boolean not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  contacts jsonb not null default '[]'::jsonb,
  PRIMARY KEY (uuid),
  UNIQUE (name)
);

create table contract_integrations (
  consumer bigint not null,
  provider bigint not null,
  created_at timestamp with time zone not null default now(),
  FOREIGN KEY (consumer) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  FOREIGN KEY (provider) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  PRIMARY KEY (consumer, provider)
);

create table contract_pacticipants (
  id bigint not null,
  name text not null,
  display_name text,
  repository_url text,
  main_branch text,
  labels text[] not null default '{}'::text[],
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  PRIMARY KEY (id),
  UNIQUE (name)
);

create table contract_placements (
  uuid uuid not null,
  kind text not null,
  pacticipant bigint not null,
  version bigint not null,
  environment uuid not null,
  instance text not null default ''::text,
  created_at timestamp with time zone not null default now(),
  ended_at timestamp with time zone,
  CHECK ((kind = ANY (ARRAY['deployed'::text, 'released'::text]))),
  FOREIGN KEY (environment) REFERENCES contract_environments(uuid) ON DELETE CASCADE,
  FOREIGN KEY (pacticipant) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  FOREIGN KEY (version) REFERENCES contract_versions(id) ON DELETE CASCADE,
  PRIMARY KEY (uuid)
);

create table contract_publications (
  id bigint not null,
  version bigint not null,
  provider bigint not null,
  content bigint not null,
  created_at timestamp with time zone not null default now(),
  FOREIGN KEY (content) REFERENCES contract_contents(id) ON DELETE CASCADE,
  FOREIGN KEY (provider) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  FOREIGN KEY (version) REFERENCES contract_versions(id) ON DELETE CASCADE,
  PRIMARY KEY (id),
  UNIQUE (version, provider)
);

create table contract_tags (
  pacticipant bigint not null,
  tag text not null,
  version bigint not null,
  created_at timestamp with time zone not null default now(),
  FOREIGN KEY (pacticipant) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  FOREIGN KEY (version) REFERENCES contract_versions(id) ON DELETE CASCADE,
  PRIMARY KEY (pacticipant, tag, version)
);

create table contract_verifications (
  id bigint not null,
  content bigint not null,
  number integer not null,
  version bigint not null,
  success boolean not null,
  wip boolean not null,
  result text not null,
  created_at timestamp with time zone not null default now(),
  FOREIGN KEY (content) REFERENCES contract_contents(id) ON DELETE CASCADE,
  FOREIGN KEY (version) REFERENCES contract_versions(id) ON DELETE CASCADE,
  PRIMARY KEY (id),
  UNIQUE (content, number)
);

create table contract_versions (
  id bigint not null,
  pacticipant bigint not null,
  number text not null,
  build_url text,
  created_at timestamp with time zone not null default now(),
  FOREIGN KEY (pacticipant) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  PRIMARY KEY (id),
  UNIQUE (pacticipant, number)
);

create table contract_wanted (
  content bigint not null,
  version bigint not null,
  at timestamp with time zone not null,
  FOREIGN KEY (content) REFERENCES contract_contents(id) ON DELETE CASCADE,
  FOREIGN KEY (version) REFERENCES contract_versions(id) ON DELETE CASCADE,
  PRIMARY KEY (content, version)
);

create table contract_webhook_calls (
  uuid uuid not null,
  webhook text not null,
  event text not null,
  consumer text not null,
  provider text not null,
  number text not null,
  variables text not null,
  state text not null,
  tries integer not null default 0,
  log text not null default ''::text,
  created_at timestamp with time zone not null default now(),
  tried_at timestamp with time zone,
  next_at timestamp with time zone,
  CHECK ((state = ANY (ARRAY['waiting'::text, 'success'::text, 'failure'::text]))),
  FOREIGN KEY (webhook) REFERENCES contract_webhooks(uuid) ON DELETE CASCADE,
  PRIMARY KEY (uuid)
);

create table contract_webhooks (
  uuid text not null,
  description text,
  consumer bigint,
  consumer_label text,
  provider bigint,
  provider_label text,
  events text[] not null,
  enabled boolean not null,
  sealed text not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  FOREIGN KEY (consumer) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  FOREIGN KEY (provider) REFERENCES contract_pacticipants(id) ON DELETE CASCADE,
  PRIMARY KEY (uuid)
);

create table deliveries (
  subscriber text not null,
  event_id bigint not null,
  subject text not null,
  attempts integer not null default 0,
  next_at timestamp with time zone not null default now(),
  last_error text,
  FOREIGN KEY (event_id) REFERENCES events(id),
  PRIMARY KEY (subscriber, event_id)
);

create table deployment_steps (
  deployment uuid not null,
  position integer not null,
  phase text not null,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  detail text,
  FOREIGN KEY (deployment) REFERENCES deployments(id),
  PRIMARY KEY (deployment, "position")
);

create table deployments (
  id uuid not null,
  service text not null,
  environment text not null,
  kind text not null,
  release_id uuid,
  release integer,
  commit text,
  repository text,
  digest text,
  request uuid,
  build uuid,
  actor text,
  state text not null,
  phase text,
  detail text,
  wait jsonb,
  outcome text,
  reason text,
  rollout jsonb,
  stack jsonb,
  fence bigint not null default 0,
  created_at timestamp with time zone not null default now(),
  started_at timestamp with time zone,
  live_at timestamp with time zone,
  finished_at timestamp with time zone,
  overrides jsonb not null default '[]'::jsonb,
  CHECK (((state = 'finished'::text) = (finished_at IS NOT NULL))),
  CHECK (((state = 'finished'::text) = (outcome IS NOT NULL))),
  CHECK (((state = 'running'::text) <= (rollout IS NOT NULL))),
  CHECK ((kind = ANY (ARRAY['deploy'::text, 'rollback'::text]))),
  CHECK ((outcome = ANY (ARRAY['succeeded'::text, 'rolled-back'::text, 'failed'::text, 'canceled'::text, 'superseded'::text]))),
  CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'finished'::text]))),
  PRIMARY KEY (id),
  UNIQUE (request)
);

create table environments (
  name text not null,
  definition jsonb,
  fault jsonb,
  commit text not null,
  updated_at timestamp with time zone not null default now(),
  PRIMARY KEY (name)
);

create table events (
  id bigint not null default nextval('events_id_seq'::regclass),
  name text not null,
  subject text not null,
  payload jsonb not null,
  at timestamp with time zone not null default now(),
  PRIMARY KEY (id)
);

create table image_blobs (
  digest text not null,
  size bigint not null,
  created_at timestamp with time zone not null default now(),
  damaged_at timestamp with time zone,
  PRIMARY KEY (digest)
);

create table image_manifest_blobs (
  repository text not null,
  manifest text not null,
  digest text not null,
  FOREIGN KEY (repository, digest) REFERENCES image_repository_blobs(repository, digest),
  FOREIGN KEY (repository, manifest) REFERENCES image_manifests(repository, digest) ON DELETE CASCADE,
  PRIMARY KEY (repository, manifest, digest)
);

create table image_manifest_children (
  repository text not null,
  parent text not null,
  child text not null,
  FOREIGN KEY (repository, child) REFERENCES image_manifests(repository, digest),
  FOREIGN KEY (repository, parent) REFERENCES image_manifests(repository, digest) ON DELETE CASCADE,
  PRIMARY KEY (repository, parent, child)
);

create table image_manifests (
  repository text not null,
  digest text not null,
  media_type text not null,
  artifact_type text,
  subject text,
  annotations json,
  content bytea not null,
  pushed_at timestamp with time zone not null,
  leased_at timestamp with time zone not null,
  FOREIGN KEY (repository) REFERENCES image_repositories(name),
  PRIMARY KEY (repository, digest)
);

create table image_pins (
  repository text not null,
  digest text not null,
  holder text not null,
  FOREIGN KEY (repository, digest) REFERENCES image_manifests(repository, digest),
  PRIMARY KEY (repository, digest, holder)
);

create table image_repositories (
  name text not null,
  created_at timestamp with time zone not null default now(),
  PRIMARY KEY (name)
);

create table image_repository_blobs (
  repository text not null,
  digest text not null,
  leased_at timestamp with time zone not null default now(),
  FOREIGN KEY (digest) REFERENCES image_blobs(digest),
  FOREIGN KEY (repository) REFERENCES image_repositories(name),
  PRIMARY KEY (repository, digest)
);

create table image_tags (
  repository text not null,
  tag text not null,
  digest text not null,
  changed_at timestamp with time zone not null,
  FOREIGN KEY (repository, digest) REFERENCES image_manifests(repository, digest) ON DELETE CASCADE,
  PRIMARY KEY (repository, tag)
);

create table image_uploads (
  id uuid not null,
  repository text not null,
  touched_at timestamp with time zone not null,
  FOREIGN KEY (repository) REFERENCES image_repositories(name),
  PRIMARY KEY (id)
);

create table image_upstreams (
  name text not null,
  url text not null,
  username text,
  sealed text,
  tag_seconds integer not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (name)
);

create table ingresses (
  name text not null,
  token uuid not null,
  serves boolean not null default false,
  created_at timestamp with time zone not null default now(),
  PRIMARY KEY (name)
);

create table jobs (
  id bigint not null default nextval('jobs_id_seq'::regclass),
  task text not null,
  payload jsonb not null,
  key text,
  run_at timestamp with time zone not null,
  revision integer not null default 0,
  failures integer not null default 0,
  last_error text,
  PRIMARY KEY (id),
  UNIQUE (key)
);

create table lanes (
  service text not null,
  environment text not null,
  running uuid,
  serving uuid,
  FOREIGN KEY (running) REFERENCES deployments(id),
  FOREIGN KEY (serving) REFERENCES deployments(id),
  PRIMARY KEY (service, environment)
);

create table migrations (
  name text not null,
  hash text not null,
  applied_at timestamp with time zone not null default now(),
  PRIMARY KEY (name)
);

create table passwords (
  user_name text not null,
  hash bytea not null,
  salt bytea not null,
  cost integer not null,
  block_size integer not null,
  parallelization integer not null,
  set_at timestamp with time zone not null,
  FOREIGN KEY (user_name) REFERENCES users(name),
  PRIMARY KEY (user_name)
);

create table place_locks (
  service text not null,
  environment text not null,
  fence bigint not null default nextval('place_locks_fence_seq'::regclass),
  owner text not null,
  reason text not null,
  at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  PRIMARY KEY (service, environment),
  UNIQUE (fence)
);

create table pools (
  id text not null,
  environment text not null,
  service text,
  number integer not null,
  health_path text,
  slots integer not null,
  CHECK (((slots >= 1) AND (slots <= 64))),
  FOREIGN KEY (service, environment) REFERENCES routes(service, environment) ON DELETE CASCADE,
  PRIMARY KEY (id)
);

create table previews (
  number integer not null,
  environment text not null,
  repository text not null,
  pull_request integer not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ending text,
  ended_at timestamp with time zone,
  CHECK (((ended_at IS NOT NULL) <= (ending IS NOT NULL))),
  PRIMARY KEY (number),
  UNIQUE (environment)
);

create table programs (
  id uuid not null,
  service text not null,
  environment text not null,
  instance text not null,
  actor text not null,
  started_at timestamp with time zone not null,
  PRIMARY KEY (id)
);

create table pull_requests (
  repository text not null,
  number integer not null,
  title text not null,
  body text not null,
  branch text not null,
  author text not null,
  head text not null,
  state text not null default 'open'::text,
  merge_commit text,
  ended_by text,
  created_at timestamp with time zone not null default now(),
  ended_at timestamp with time zone,
  CHECK ((state = ANY (ARRAY['open'::text, 'merged'::text, 'closed'::text]))),
  FOREIGN KEY (repository) REFERENCES repositories(name),
  PRIMARY KEY (repository, number)
);

create table pulled_images (
  image text not null,
  service text not null,
  digest text not null,
  PRIMARY KEY (image)
);

create table pushers (
  repository text not null,
  revision text not null,
  user_name text not null,
  PRIMARY KEY (repository, revision, user_name)
);

create table refs (
  repository text not null,
  name text not null,
  revision text not null,
  actor text,
  FOREIGN KEY (repository) REFERENCES repositories(name),
  PRIMARY KEY (repository, name)
);

create table releases (
  id uuid not null,
  service text not null,
  number integer not null,
  repository text not null,
  commit text not null,
  digest text not null,
  image text not null,
  build uuid not null,
  manifest jsonb not null,
  evidence jsonb not null,
  commits jsonb not null,
  previous integer,
  created_at timestamp with time zone not null default now(),
  pull_request integer,
  retired_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (build, service),
  UNIQUE (service, number)
);

create table releases_refused (
  build uuid not null,
  service text not null,
  reason text not null,
  at timestamp with time zone not null default now(),
  PRIMARY KEY (build, service)
);

create table repositories (
  name text not null,
  default_branch text not null default 'main'::text,
  allow_direct_push boolean not null default false,
  required_approvals integer not null default 1,
  require_build boolean not null default true,
  next_number integer not null default 1,
  created_at timestamp with time zone not null default now(),
  CHECK ((required_approvals >= 0)),
  PRIMARY KEY (name)
);

create table review_comments (
  id uuid not null,
  repository text not null,
  number integer not null,
  author text not null,
  body text not null,
  at timestamp with time zone not null default now(),
  revision text,
  path text,
  side text,
  line integer,
  line_text text,
  CHECK ((num_nulls(revision, path, side, line, line_text) = ANY (ARRAY[0, 5]))),
  CHECK ((side = ANY (ARRAY['old'::text, 'new'::text]))),
  FOREIGN KEY (repository, number) REFERENCES pull_requests(repository, number),
  PRIMARY KEY (id)
);

create table route_hosts (
  host text not null,
  service text not null,
  environment text not null,
  FOREIGN KEY (service, environment) REFERENCES routes(service, environment) ON DELETE CASCADE,
  PRIMARY KEY (host)
);

create table routes (
  service text not null,
  environment text not null,
  internal_port integer not null,
  pool text not null,
  mode text not null default 'open'::text,
  mode_until timestamp with time zone,
  CHECK (((internal_port >= 10000) AND (internal_port <= 29999))),
  CHECK (((mode = 'open'::text) = (mode_until IS NULL))),
  CHECK ((mode = ANY (ARRAY['open'::text, 'maintenance'::text, 'paused'::text]))),
  PRIMARY KEY (service, environment),
  UNIQUE (internal_port)
);

create table scalings (
  service text not null,
  environment text not null,
  deployment uuid not null,
  state jsonb not null,
  FOREIGN KEY (deployment) REFERENCES deployments(id),
  PRIMARY KEY (service, environment)
);

create table secrets (
  service text not null,
  environment text not null,
  name text not null,
  sealed text not null,
  updated_at timestamp with time zone not null default now(),
  version bigint not null default nextval('secret_versions'::regclass),
  PRIMARY KEY (service, environment, name)
);

create table service_checks (
  repository text not null,
  commit text not null,
  folder text not null,
  service text not null,
  number integer not null,
  build uuid not null,
  outcome text,
  reason text,
  at timestamp with time zone not null default now(),
  CHECK ((outcome = ANY (ARRAY['passed'::text, 'failed'::text, 'canceled'::text]))),
  PRIMARY KEY (repository, commit, folder)
);

create table services (
  name text not null,
  repository text not null,
  owner text,
  manifest jsonb not null,
  commit text not null,
  updated_at timestamp with time zone not null default now(),
  folder text not null default ''::text,
  gone_at timestamp with time zone,
  PRIMARY KEY (name)
);

create table sign_offs (
  id uuid not null,
  service text not null,
  environment text not null,
  release_id uuid not null,
  release integer not null,
  digest text not null,
  sign_off text not null,
  user_name text not null,
  note text,
  at timestamp with time zone not null,
  withdrawn_at timestamp with time zone,
  PRIMARY KEY (id)
);

create table slots (
  pool text not null,
  position integer not null,
  instance text not null,
  host text not null,
  port integer not null,
  state text not null,
  weight integer not null default 100,
  CHECK (((weight >= 1) AND (weight <= 256))),
  CHECK ((state = ANY (ARRAY['ready'::text, 'drain'::text, 'maint'::text]))),
  FOREIGN KEY (pool) REFERENCES pools(id) ON DELETE CASCADE,
  PRIMARY KEY (pool, "position"),
  UNIQUE (instance)
);

create table tokens (
  id uuid not null,
  hash text not null,
  kind text not null,
  name text not null,
  user_name text,
  grants jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  session boolean not null default false,
  CHECK (((kind = 'user'::text) = (user_name IS NOT NULL))),
  CHECK ((kind = ANY (ARRAY['user'::text, 'agent'::text, 'job'::text, 'ingress'::text]))),
  FOREIGN KEY (user_name) REFERENCES users(name),
  PRIMARY KEY (id),
  UNIQUE (hash)
);

create table users (
  name text not null,
  role text not null,
  created_at timestamp with time zone not null default now(),
  CHECK ((role = ANY (ARRAY['viewer'::text, 'developer'::text, 'analyst'::text, 'lead'::text, 'admin'::text]))),
  PRIMARY KEY (name)
);

CREATE UNIQUE INDEX attestation_keys_current ON public.attestation_keys USING btree ((true)) WHERE (retired_at IS NULL);

CREATE INDEX attestations_waiting ON public.attestations USING btree (changed_at) WHERE (state = 'waiting'::text);

CREATE INDEX backing_works_of ON public.backing_works USING btree (environment, name, started_at DESC);

CREATE UNIQUE INDEX backing_works_open ON public.backing_works USING btree (environment, name) WHERE ((state = 'running'::text) AND (of_restore IS NULL));

CREATE INDEX build_artifacts_by_build ON public.build_artifacts USING btree (build);

CREATE INDEX build_artifacts_by_digest ON public.build_artifacts USING btree (digest);

CREATE INDEX build_artifacts_by_job ON public.build_artifacts USING btree (job);

CREATE INDEX build_deploy_requests_by_build ON public.build_deploy_requests USING btree (build);

CREATE INDEX build_events_by_build ON public.build_events USING btree (build, id);

CREATE INDEX build_jobs_by_agent ON public.build_jobs USING btree (agent) WHERE (agent IS NOT NULL);

CREATE INDEX build_jobs_by_token ON public.build_jobs USING btree (token_hash) WHERE (token_hash IS NOT NULL);

CREATE INDEX build_jobs_claimable ON public.build_jobs USING btree (md5((tags)::text), priority DESC, sequence, "position") WHERE (state = 'runnable'::text);

CREATE INDEX build_jobs_leased ON public.build_jobs USING btree (lease_until) WHERE (lease_until IS NOT NULL);

CREATE INDEX build_logs_kept ON public.build_logs USING btree (completed_at) WHERE (complete AND (removed_at IS NULL));

CREATE INDEX build_logs_of ON public.build_logs USING btree (of_job, of_attempt) WHERE (of_job IS NOT NULL);

CREATE INDEX build_notifications_by_age ON public.build_notifications USING btree (created_at);

CREATE INDEX build_notifications_by_build ON public.build_notifications USING btree (build, created_at DESC);

CREATE INDEX build_results_by_age ON public.build_results USING btree (at);

CREATE INDEX build_schedules_due ON public.build_schedules USING btree (next_at);

CREATE INDEX build_slots_held ON public.build_slots USING btree (group_name) WHERE held;

CREATE INDEX build_slots_waiting ON public.build_slots USING btree (group_name, sequence, "position") WHERE (NOT held);

CREATE UNIQUE INDEX build_test_quarantines_open ON public.build_test_quarantines USING btree (test) WHERE (released_at IS NULL);

CREATE INDEX build_test_reports_by_age ON public.build_test_reports USING btree (at);

CREATE INDEX build_test_reports_by_build ON public.build_test_reports USING btree (build);

CREATE INDEX build_test_results_by_test ON public.build_test_results USING btree (test, at DESC);

CREATE INDEX builds_by_branch ON public.builds USING btree (repository, branch, sequence DESC);

CREATE INDEX builds_by_commit ON public.builds USING btree (repository, commit);

CREATE INDEX builds_by_folder ON public.builds USING btree (repository, branch, folder, sequence DESC) WHERE (folder <> ''::text);

CREATE INDEX builds_ended ON public.builds USING btree (finished_at) WHERE (state = 'finished'::text);

CREATE INDEX builds_preparing ON public.builds USING btree (repository, branch, sequence) WHERE (state = 'preparing'::text);

CREATE INDEX builds_unfinished ON public.builds USING btree (sequence) WHERE (state <> 'finished'::text);

CREATE INDEX contract_branches_by_version ON public.contract_branches USING btree (version);

CREATE INDEX contract_contents_by_provider ON public.contract_contents USING btree (provider);

CREATE INDEX contract_integrations_by_provider ON public.contract_integrations USING btree (provider);

CREATE INDEX contract_placements_by_version ON public.contract_placements USING btree (version);

CREATE INDEX contract_placements_now ON public.contract_placements USING btree (environment, pacticipant, version) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX contract_placements_one_deployed ON public.contract_placements USING btree (pacticipant, environment, instance) WHERE ((kind = 'deployed'::text) AND (ended_at IS NULL));

CREATE UNIQUE INDEX contract_placements_one_released ON public.contract_placements USING btree (version, environment) WHERE ((kind = 'released'::text) AND (ended_at IS NULL));

CREATE INDEX contract_publications_by_content ON public.contract_publications USING btree (content);

CREATE INDEX contract_publications_by_provider ON public.contract_publications USING btree (provider, version);

CREATE INDEX contract_tags_by_version ON public.contract_tags USING btree (version);

CREATE INDEX contract_verifications_by_version ON public.contract_verifications USING btree (content, version);

CREATE INDEX contract_verifications_of_version ON public.contract_verifications USING btree (version);

CREATE INDEX contract_versions_in_order ON public.contract_versions USING btree (pacticipant, id);

CREATE INDEX contract_wanted_by_version ON public.contract_wanted USING btree (version);

CREATE INDEX contract_webhook_calls_by_pact ON public.contract_webhook_calls USING btree (consumer, provider, number);

CREATE INDEX contract_webhook_calls_by_webhook ON public.contract_webhook_calls USING btree (webhook, created_at DESC);

CREATE INDEX deliveries_in_order ON public.deliveries USING btree (subscriber, subject, event_id);

CREATE INDEX deliveries_oldest ON public.deliveries USING btree (event_id);

CREATE INDEX deployments_by_lane ON public.deployments USING btree (service, environment, created_at DESC);

CREATE INDEX deployments_newest ON public.deployments USING btree (created_at DESC);

CREATE INDEX deployments_open ON public.deployments USING btree (service, environment) WHERE (state <> 'finished'::text);

CREATE INDEX deployments_served ON public.deployments USING btree (release_id, environment) WHERE (outcome = 'succeeded'::text);

CREATE INDEX events_by_actor ON public.events USING btree (((payload ->> 'actor'::text)), id DESC);

CREATE INDEX events_by_age ON public.events USING btree (at);

CREATE INDEX events_by_name ON public.events USING btree (name text_pattern_ops, id DESC);

CREATE INDEX events_by_subject ON public.events USING btree (subject, id);

CREATE INDEX image_blobs_damaged ON public.image_blobs USING btree (digest) WHERE (damaged_at IS NOT NULL);

CREATE INDEX image_manifest_blobs_by_digest ON public.image_manifest_blobs USING btree (repository, digest);

CREATE INDEX image_manifest_children_by_child ON public.image_manifest_children USING btree (repository, child);

CREATE INDEX image_manifests_by_digest ON public.image_manifests USING btree (digest);

CREATE INDEX image_manifests_by_subject ON public.image_manifests USING btree (repository, subject, digest) WHERE (subject IS NOT NULL);

CREATE INDEX image_repository_blobs_by_digest ON public.image_repository_blobs USING btree (digest);

CREATE INDEX image_tags_by_digest ON public.image_tags USING btree (repository, digest);

CREATE INDEX image_uploads_by_age ON public.image_uploads USING btree (touched_at);

CREATE INDEX image_uploads_by_repository ON public.image_uploads USING btree (repository);

CREATE INDEX jobs_by_time ON public.jobs USING btree (run_at, id);

CREATE INDEX previews_unended ON public.previews USING btree (number) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX previews_standing ON public.previews USING btree (repository, pull_request) WHERE (ending IS NULL);

CREATE INDEX pull_requests_newest ON public.pull_requests USING btree (created_at DESC);

CREATE UNIQUE INDEX pull_requests_one_open_a_branch ON public.pull_requests USING btree (repository, branch) WHERE (state = 'open'::text);

CREATE INDEX pulled_images_by_service ON public.pulled_images USING btree (service);

CREATE INDEX review_comments_of_one ON public.review_comments USING btree (repository, number, at);

CREATE INDEX services_by_repository ON public.services USING btree (repository);

CREATE UNIQUE INDEX sign_offs_once ON public.sign_offs USING btree (release_id, environment, sign_off, user_name) WHERE (withdrawn_at IS NULL);

CREATE INDEX tokens_by_user ON public.tokens USING btree (user_name);
