import { List, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Output, Refused } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import type { Tone } from "../theme.ts";
import { shortVersion } from "./matrix.ts";

type Answer = Output<"showContractFit">["environments"][number]["answer"];

const words: Record<Answer, [tone: Tone, word: string]> = {
  yes: ["good", "may go"],
  no: ["bad", "may not go"],
  unknown: ["waiting", "not known yet"],
  none: ["none", "no contracts"],
};

/** Where the newest version of a service may go. */
export function Fit({ of }: { of: string }) {
  const found = useQuery({ ...read("showContractFit", { query: { of } }), retry: false });
  if (found.isPending) return <Loading what="where it may go" />;
  // Nobody has heard of it, which is said above.
  if (found.error instanceof Refused && found.error.code === "not-found") return null;
  if (found.error) return <Failed what="Where it may go" error={found.error} again={() => void found.refetch()} />;
  if (found.data.environments.length === 0) return null;
  const { version, environments } = found.data;
  return (
    <Section
      title="Where it may go"
      about={`${of} ${shortVersion(version)}, the newest, beside what serves there now.`}
    >
      <Rows name="Where it may go" columns={["Environment", "Answer", "Why"]} minWidth={560}>
        {environments.map(({ environment, answer, reasons }) => (
          <Table.Tr key={environment}>
            <Table.Th scope="row" fw={400}>
              {environment}
            </Table.Th>
            <Table.Td>
              <StateSign tone={words[answer][0]}>{words[answer][1]}</StateSign>
            </Table.Td>
            <Table.Td style={{ overflowWrap: "anywhere" }}>
              {reasons.length === 0 ? (
                <Text size="sm" c="dimmed">
                  –
                </Text>
              ) : (
                <List size="sm">
                  {reasons.map((reason) => (
                    <List.Item key={reason}>{reason}</List.Item>
                  ))}
                </List>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
    </Section>
  );
}
