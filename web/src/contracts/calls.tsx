import { Code, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import type { Tone } from "../theme.ts";
import { shortVersion } from "./matrix.ts";

type Call = Output<"listContractCalls">["calls"][number];

const words: Record<Call["state"], [tone: Tone, word: string]> = {
  waiting: ["busy", "on its way"],
  success: ["good", "taken"],
  failure: ["bad", "given up"],
};

/** What became of the calls of webhooks. */
export function Calls() {
  const found = useQuery(read("listContractCalls", {}));
  if (found.isPending) return <Loading what="the calls of webhooks" />;
  if (found.error)
    return <Failed what="The calls of webhooks" error={found.error} again={() => void found.refetch()} />;
  const { calls } = found.data;
  return (
    <Section title="Calls of webhooks" about="The newest first, 100 at most.">
      {calls.length === 0 ? (
        <Text size="sm" c="dimmed">
          No webhook has been called. The command create-webhook of the clients makes one.
        </Text>
      ) : (
        <Rows name="Calls of webhooks" columns={["When", "What", "Of", "State", "Log"]} minWidth={720}>
          {calls.map((call) => (
            <CallRow key={call.id} call={call} />
          ))}
        </Rows>
      )}
    </Section>
  );
}

function CallRow({ call: { at, event, consumer, provider, version, state, tries, log } }: { call: Call }) {
  const [tone, word] = words[state];
  return (
    <Table.Tr>
      <Table.Td>
        <TimeAgo at={at} />
      </Table.Td>
      <Table.Th scope="row" fw={400}>
        <Code>{event}</Code>
      </Table.Th>
      <Table.Td>
        {consumer} <Code>{shortVersion(version)}</Code> with {provider}
      </Table.Td>
      <Table.Td>
        <StateSign tone={tone}>{tries > 1 ? `${word}, try ${tries}` : word}</StateSign>
      </Table.Td>
      <Table.Td>
        {log === "" ? (
          "–"
        ) : (
          <details>
            <summary>Log</summary>
            {/* A keyboard scrolls what it can come to. */}
            <Code
              block
              tabIndex={0}
              mah={320}
              style={{ overflow: "auto", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}
            >
              {log}
            </Code>
          </details>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
