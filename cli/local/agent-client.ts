import type { ReportedTest } from "#api/endpoints/tests.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import type { AgentClient } from "#client/job-server.ts";
import type { LiveBuild } from "./live-build.ts";

interface Heard {
  /** Output of a step's job. */
  onOutput(step: string, bytes: Uint8Array): void;
  onTests(step: string, tests: readonly ReportedTest[]): void;
}

/** What an agent says to the server, heard in this process. */
export function localAgentClient(build: LiveBuild, { onOutput, onTests }: Heard): AgentClient {
  const stepOf = (id: string) => build.stepOf(id) ?? "";
  const isCanceling = (id: string) => build.state().steps[stepOf(id)]?.status.state === "canceling";
  return {
    leaseJob: async () => ({ assignment: null }),
    resumeJob: async () => stale(),
    stopAgent: async () => ({}),
    startJob: async ({ params: { id }, body: { token } }) =>
      build.act({ type: "start", step: stepOf(id), token }) ?? {},
    renewLease: async ({ params: { id } }) => ({ cancel: isCanceling(id) }),
    async appendLog({ params: { id }, query, body }) {
      const { offset } = query as { offset: number };
      onOutput(stepOf(id), body);
      return { next: offset + body.length };
    },
    async reportTests({ params: { id }, body: { tests } }) {
      onTests(stepOf(id), tests);
      return {};
    },
    async finishJob({ params: { id }, body: { token, result } }) {
      const { outcome, exitStatus, reason } = result;
      const told = {
        ...(exitStatus === undefined ? {} : { exitStatus }),
        ...(reason === undefined ? {} : { reason }),
      };
      return build.act({ type: "finish", step: stepOf(id), token, outcome, ...told }) ?? {};
    },
  };
}

const stale = (): Refusal => refuse("lease.stale", "no job of this run was begun by another process");
