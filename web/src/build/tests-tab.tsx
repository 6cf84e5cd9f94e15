import { Box, Code, Group, SegmentedControl, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { lengthOf } from "../parts/duration.tsx";
import { Headings } from "../parts/headings.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import type { Tone } from "../theme.ts";
import { type BuildSearch, testOutcomes } from "./search.ts";

type Tests = Output<"listBuildTests">;
type Test = Tests["tests"][number];

const route = "/builds/$repository/$number";
const most = 500;

/** The tests of a build, failed ones first. */
export function TestsTab({ build }: { build: string }) {
  const { outcome }: BuildSearch = useSearch({ from: route });
  const navigate = useNavigate({ from: route });
  const query = { limit: most, ...(outcome ? { outcome } : {}) };
  const tests = useQuery(read("listBuildTests", { params: { id: build }, query }));
  if (tests.isPending) return <Loading what="the tests" />;
  if (tests.error) return <Failed what="The tests" error={tests.error} again={() => void tests.refetch()} />;
  const { counts, reports } = tests.data;
  if (reports.length === 0)
    return (
      <Empty title="No step reported tests">
        A <code>test:</code> step with <code>junit:</code> does, and so does the plugin <code>junit</code>.
      </Empty>
    );
  const faults = reports.flatMap((report) => report.faults);
  return (
    <Stack>
      <Group justify="space-between">
        <Counts counts={counts} />
        <SegmentedControl
          size="xs"
          aria-label="Outcome"
          data={["all", ...testOutcomes]}
          value={outcome ?? "all"}
          onChange={(value) => {
            const next = testOutcomes.find((each) => each === value);
            void navigate({ search: (before) => ({ ...before, outcome: next }), replace: true });
          }}
        />
      </Group>
      {faults.map((fault) => (
        <Text key={fault} size="sm">
          {fault}
        </Text>
      ))}
      {tests.data.tests.length === 0 ? (
        <Empty title="No such test">Another outcome may have some.</Empty>
      ) : (
        <TestTable tests={tests.data.tests} />
      )}
      {tests.data.tests.length === most && (
        <Text size="sm" c="dimmed">
          These are the first {most}; <Code>towline build tests</Code> has all.
        </Text>
      )}
    </Stack>
  );
}

function Counts({ counts: { passed, failed, quarantined, skipped, flaky } }: { counts: Tests["counts"] }) {
  const shown: [number, Tone, string][] = [
    [failed, "bad", "failed"],
    [flaky, "soft", "flaky"],
    [quarantined, "soft", "in quarantine"],
    [passed, "good", "passed"],
    [skipped, "none", "skipped"],
  ];
  return (
    <Group gap={6}>
      {shown.map(
        ([count, tone, word]) => count > 0 && <StateSign key={word} tone={tone}>{`${count} ${word}`}</StateSign>,
      )}
    </Group>
  );
}

function TestTable({ tests }: { tests: Test[] }) {
  return (
    <Table aria-label="Tests" fz="sm" verticalSpacing="xs" layout="fixed">
      <Headings names={["Test", "Outcome"]} />
      <Table.Tbody>
        {tests.map((test) => (
          <Table.Tr key={`${test.id} ${test.job}`}>
            <Table.Th scope="row" fw={500} style={{ overflowWrap: "anywhere", verticalAlign: "top" }}>
              {test.name}
              <Text size="xs" c="dimmed" fw={400}>
                {[test.scope, test.file && (test.line ? `${test.file}:${test.line}` : test.file)]
                  .filter(Boolean)
                  .join(" · ")}
              </Text>
              <Trouble test={test} />
            </Table.Th>
            <Table.Td style={{ verticalAlign: "top" }}>
              <Group gap={6}>
                <StateSign tone={toneOf(test)}>{test.outcome}</StateSign>
                {test.flaky && <StateSign tone="soft">flaky</StateSign>}
                {test.quarantined && <StateSign tone="soft">in quarantine</StateSign>}
                <Text size="xs" c="dimmed">
                  {[test.step, test.ms !== null && lengthOf(test.ms)].filter(Boolean).join(" · ")}
                </Text>
              </Group>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function toneOf({ outcome, quarantined }: Test): Tone {
  if (outcome === "passed") return "good";
  if (outcome === "skipped") return "none";
  return quarantined ? "soft" : "bad";
}

function Trouble({ test: { message, detail } }: { test: Test }) {
  if (message === null && detail === null) return null;
  return (
    <Box component="details" fz="xs" fw={400} mt={4}>
      <summary>{message ?? "what it said"}</summary>
      <Code block mt={4} mah={320} tabIndex={0}>
        {detail ?? message}
      </Code>
    </Box>
  );
}
