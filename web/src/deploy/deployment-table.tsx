import { Group, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { stepWords } from "#api/rollout-words.ts";
import { isBadEnd } from "../fleet/matching.ts";
import { Copy } from "../parts/copy.tsx";
import { Rows } from "../parts/rows.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import type { Tone } from "../theme.ts";
import type { Deployment } from "./rollout-progress.tsx";

/** Newest first; `of` says which name of the place goes without saying. */
export function DeploymentTable({ rows, of }: { rows: readonly Deployment[]; of: "service" | "environment" }) {
  const other = of === "service" ? "environment" : "service";
  return (
    <Rows
      name="Deployments"
      columns={["Release", other === "service" ? "Service" : "Environment", "State", "Commit", "By", "When"]}
      minWidth={640}
      verticalSpacing="xs"
    >
      {rows.map((row) => (
        <Table.Tr key={row.id}>
          <Table.Td>
            {row.kind === "rollback" ? "back to " : ""}
            {row.release === null ? (
              "–"
            ) : (
              <Link
                to="/services/$service/releases/$number"
                params={{ service: row.service, number: String(row.release) }}
              >
                {row.release}
              </Link>
            )}
          </Table.Td>
          <Table.Td>
            {other === "service" ? (
              <Link to="/services/$service" params={{ service: row.service }}>
                {row.service}
              </Link>
            ) : (
              <Link to="/environments/$environment" params={{ environment: row.environment }}>
                {row.environment}
              </Link>
            )}
          </Table.Td>
          <Table.Td>
            <Group gap={6}>
              <StateSign tone={toneOf(row)}>
                {row.outcome ?? (row.phase === null ? row.state : stepWords(row.phase))}
              </StateSign>
              <Text size="xs" style={{ whiteSpace: "pre-wrap" }} lineClamp={2}>
                {row.reason ?? row.wait?.message ?? row.detail}
              </Text>
            </Group>
          </Table.Td>
          <Table.Td>{row.commit && <Copy value={row.commit} shown={row.commit.slice(0, 8)} what="commit" />}</Table.Td>
          <Table.Td>{row.actor ?? "Towline"}</Table.Td>
          <Table.Td>
            <TimeAgo at={row.finishedAt ?? row.startedAt ?? row.createdAt} />
          </Table.Td>
        </Table.Tr>
      ))}
    </Rows>
  );
}

export function toneOf({ state, outcome }: Pick<Deployment, "state" | "outcome">): Tone {
  if (state === "waiting") return "waiting";
  if (state === "running") return "busy";
  return isBadEnd(outcome) ? "bad" : outcome === "succeeded" ? "good" : "none";
}
