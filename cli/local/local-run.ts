/** A pipeline on this machine: the agent's own executor, with a server that is no more than some objects of this process. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { AgentOptions } from "#agent/agent-options.ts";
import { openAgent } from "#agent/open-agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import type { Plan } from "#pipeline/plan.ts";
import { untilSignal } from "../signals.ts";
import { localAgentClient } from "./agent-client.ts";
import { repositoryNameOf } from "./assign.ts";
import { type GateKeeping, openGate } from "./gates.ts";
import { localJobServer } from "./job-server.ts";
import { createLiveBuild } from "./live-build.ts";
import { createLocalRecords, type LocalRecords } from "./records.ts";
import { createTestResults } from "./results.ts";
import { runBuild } from "./run-build.ts";
import { localCheckouts, type Snapshot, takeSnapshot } from "./snapshot.ts";
import type { View } from "./view.ts";

export interface LocalRun {
  /** The folder whose pipeline it is. */
  top: string;
  plan: Plan;
  context: BuildContext;
  secrets: Readonly<Record<string, string>>;
  gates: Pick<GateKeeping, "given" | "openAll" | "interactive">;
  /** Of this machine; `home` for all runs. */
  agent: Omit<AgentOptions, "client" | "serverFor" | "checkouts">;
  view: View;
}

export interface LocalEnd {
  /** `held`: at a gate that nobody opened. */
  end: "finished" | "held";
  state: BuildState;
  records: LocalRecords;
  tests: ReturnType<typeof createTestResults>;
}

/** One run of a folder at a time; what an earlier one left that was killed is removed first. Ctrl-C ends all of it. */
export async function runLocally(run: LocalRun): Promise<LocalEnd | Refusal> {
  const { top, plan, view } = run;
  const home = homeOf(run.agent.home, top);
  const records = createLocalRecords(home);
  const tests = createTestResults();
  const build = createLiveBuild(plan, userInfo().username, view.events);
  const local = { build, records, context: run.context, secrets: run.secrets };
  const stop = new AbortController();
  const taken: { snapshot?: Snapshot } = {};
  const opened = await openAgent(
    {
      ...{ ...run.agent, home, checkouts: localCheckouts(() => present(taken)) },
      client: localAgentClient(build, { onOutput: view.output, onTests: tests.add }),
      serverFor: ({ job }) => localJobServer(local, build.stepOf(job) ?? ""),
    },
    { stopping: stop.signal, abandon: stop.signal },
  );
  if (isRefusal(opened)) return opened;
  await using agent = opened;
  await records.forget();
  const snapshot = await takeSnapshot(top, home);
  taken.snapshot = snapshot;
  view.say(beginning(top, snapshot));
  stopAtSignal();
  const keeping = { ...run.gates, build, records, say: view.say };
  const end = await runBuild({ agent: agent.context, local, open: (gate) => openGate(keeping, gate) });
  await rm(snapshot.folder, { recursive: true, force: true });
  return { end, state: build.state(), records, tests };

  function stopAtSignal(): void {
    void untilSignal().then(() => {
      view.say("stopping: all that runs is ended and removed");
      build.act({ type: "cancel", by: userInfo().username });
      stop.abort();
      // A second one would leave containers behind.
      void untilSignal();
    });
  }
}

/** What stays of a folder's runs: its caches, and what tells the next run what this one left. */
function homeOf(home: string, top: string): string {
  const sum = createHash("sha256").update(top).digest("hex").slice(0, 8);
  return join(home, `${repositoryNameOf(top)}-${sum}`);
}

function present({ snapshot }: { snapshot?: Snapshot }): Snapshot {
  if (!snapshot) throw new Error("a job began before there was anything to check out");
  return snapshot;
}

function beginning(top: string, { files, changed }: Snapshot): string {
  const state =
    changed === 0 ? "as it is committed" : `with ${changed} uncommitted ${changed === 1 ? "file" : "files"}`;
  return `~~~ ${top}, ${files} files, ${state}`;
}
