import type { PipelineUpload, StepUpdate, UploadedPipeline } from "#api/endpoints/job.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { JobServer } from "#client/job-server.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import { buildVariables } from "#pipeline/build-variables.ts";
import { refuseFaults } from "#pipeline/fault.ts";
import { secretsFor } from "#pipeline/job/job-secrets.ts";
import { stepAttributes } from "#pipeline/job/step-attributes.ts";
import { withoutRest } from "#pipeline/machine/replace.ts";
import { openAttempt, plannedOf, stepOf } from "#pipeline/machine/steps.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import { namesOf, planUpload } from "#pipeline/upload.ts";
import type { LiveBuild } from "./live-build.ts";
import { contentFrom, type LocalRecords } from "./records.ts";

export interface LocalBuild {
  build: LiveBuild;
  records: LocalRecords;
  context: BuildContext;
  /** By name. */
  secrets: Readonly<Record<string, string>>;
}

/** What a job says to the server, answered in this process. */
export function localJobServer({ build, records, context, secrets }: LocalBuild, step: string): JobServer {
  const job = build.jobOf(step);
  const attempt = () => stepOf(build.state(), step).attempts.length;
  const isOther = (id: string | undefined) => id !== undefined && id !== context.build.id;
  const other = (): Refusal => refuse("not-found", "a run on this machine knows no build but its own");
  return {
    client: {
      uploadPipeline: async ({ body }) => upload({ build, context, step }, { ...uploadDefaults, ...body }),
      updateStep: async ({ body = {} }) => update({ build, step }, body),
      setMetaData: async ({ body: { key, value } }) => records.setMetaData(key, value) ?? {},
      getMetaData: async ({ query }) =>
        isOther(query.build) ? other() : { value: records.metaData.get(query.key) ?? null },
      listMetaDataKeys: async ({ query = {} }) =>
        isOther(query.build) ? other() : { keys: [...records.metaData.keys()].toSorted() },
      showStep: async ({ query }) => (isOther(query.build) ? other() : showStep(build, query.step)),
      async readSecrets({ body: { names } }) {
        const values = secretsFor(plannedOf(build.state(), step), secrets, names);
        const missing = names.filter((name) => !Object.hasOwn(values, name));
        const fix = "Name it with --secret; its value comes from the environment.";
        return missing.length === 0
          ? { values }
          : refuse("not-found", `there is no secret ${missing.join(", ")} for this job`, { fix });
      },
      annotate: async ({ body }) => records.annotate(body) ?? {},
      removeAnnotation: async ({ query: { context: name = "default" } = {} }) =>
        records.removeAnnotation(name) ? {} : refuse("not-found", `the build has no annotation of the context ${name}`),
      createArtifact: async ({ body }) => records.announce({ job, step, attempt: attempt() }, body),
      async searchArtifacts({ query: { query = "**", step: of, retried = "false", build: id } = {} }) {
        const artifacts = isOther(id) ? other() : records.find({ query, step: of, retried });
        return isRefusal(artifacts) ? artifacts : { artifacts };
      },
    },
    addressOf: records.placeOf,
    send: (content) => records.receive(content),
    fetch: async ({ id, at }) => contentFrom(records.placeOf(id), at),
  };
}

function showStep(build: LiveBuild, asked: string) {
  const { plan } = build.state();
  const key = build.stepOf(asked) ?? asked;
  const found = plan.steps.find((each) => each.key === key);
  if (!found) return refuse("not-found", `the build has no step ${asked}`);
  return { attributes: stepAttributes(build.state(), found, build.jobOf(key)) };
}

interface Uploader extends Pick<LocalBuild, "build" | "context"> {
  step: string;
}

const uploadDefaults = { file: "pipeline.yml", variables: {}, interpolate: true, replace: false };

function update({ build, step }: Pick<Uploader, "build" | "step">, { step: asked = step, ...change }: StepUpdate) {
  const { token = "" } = stepOf(build.state(), step).attempts.at(-1) ?? {};
  const { label, priority } = change;
  const target = build.stepOf(asked) ?? asked;
  const changed = { ...(label === undefined ? {} : { label }), ...(priority === undefined ? {} : { priority }) };
  return build.act({ type: "update", step, token, target, ...changed }) ?? {};
}

/** As the server does it: read with the build's steps in sight, planned, and added by the machine. */
function upload({ build, context, step }: Uploader, given: PipelineUpload): UploadedPipeline | Refusal {
  const before = build.state();
  const { file, text, interpolate, variables, replace } = given;
  const { state, removed } = replace ? withoutRest(before) : { state: before, removed: [] };
  const { plan, uploads = [], steps } = state;
  const attempt = steps[step] && openAttempt(steps[step]);
  if (!attempt) return refuse("lease.stale", "the job has ended");
  const earlier = uploads.filter((each) => each.by === step && each.attempt < attempt.number);
  const { value, errors, warnings } = parsePipeline({
    ...{ file, text, interpolate, variables: { ...buildVariables(context), ...variables } },
    ...{ outside: namesOf(plan), reusable: earlier.flatMap(({ keys }) => keys) },
  });
  if (errors) return refuseFaults("pipeline.invalid", errors);
  const planned = planUpload(plan, value, context);
  const { token } = attempt;
  const { notify } = value;
  const refused = build.act({ type: "upload", step, token, upload: given.upload, steps: planned, notify, replace });
  if (refused) return refused;
  const keys = build.state().uploads?.find(({ id }) => id === given.upload)?.keys ?? [];
  return { steps: keys, removed, warnings };
}
