import { ActionIcon, Anchor, Code, Modal, Stack, Table, Text, TextInput, Tooltip } from "@mantine/core";
import { IconDownload, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Output, reach } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Headings } from "../parts/headings.tsx";
import { sizeIn } from "../parts/size.ts";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { kindOf, mostShown } from "./artifact-kind.ts";

type Artifact = Output<"listArtifacts">["artifacts"][number];

const mostRows = 500;
const addressOf = ({ id }: Artifact) => `/api/artifacts/${id}/content`;

/** The files that the jobs of a build kept. */
export function ArtifactsTab({ build }: { build: string }) {
  const artifacts = useQuery(read("listArtifacts", { params: { id: build }, query: {} }));
  const [words, setWords] = useState("");
  const [shown, setShown] = useState<Artifact>();
  if (artifacts.isPending) return <Loading what="the artifacts" />;
  if (artifacts.error)
    return <Failed what="The artifacts" error={artifacts.error} again={() => void artifacts.refetch()} />;
  const all = artifacts.data.artifacts;
  if (all.length === 0)
    return (
      <Empty title="No job kept a file">
        <code>artifact_paths</code> of a step names those to keep.
      </Empty>
    );
  const found = all.filter(({ path, step }) => `${path} ${step}`.toLowerCase().includes(words.toLowerCase()));
  return (
    <Stack>
      <TextInput
        size="xs"
        maw={320}
        aria-label="Path or step"
        placeholder="Path or step"
        leftSection={<IconSearch size={14} aria-hidden />}
        value={words}
        onChange={({ currentTarget }) => setWords(currentTarget.value)}
      />
      <Table aria-label="Artifacts" fz="sm" layout="fixed">
        <Headings names={["File", "Step", "Size"]} />
        <Table.Tbody>
          {found.slice(0, mostRows).map((artifact) => (
            <ArtifactRow key={artifact.id} artifact={artifact} show={setShown} />
          ))}
        </Table.Tbody>
      </Table>
      {found.length > mostRows && (
        <Text size="sm" c="dimmed">
          And {found.length - mostRows} more: some words of the path find them.
        </Text>
      )}
      {shown && <Preview artifact={shown} close={() => setShown(undefined)} />}
    </Stack>
  );
}

function ArtifactRow({ artifact, show }: { artifact: Artifact; show: (artifact: Artifact) => void }) {
  const { path, step, size } = artifact;
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: "anywhere" }}>
        {kindOf(path) === "other" ? (
          path
        ) : (
          <Anchor component="button" type="button" fz="inherit" ta="start" onClick={() => show(artifact)}>
            {path}
          </Anchor>
        )}
      </Table.Td>
      <Table.Td style={{ overflowWrap: "anywhere" }}>{step}</Table.Td>
      <Table.Td>
        {sizeIn(size)}{" "}
        <Tooltip label="Download">
          <ActionIcon
            component="a"
            size="sm"
            variant="subtle"
            href={addressOf(artifact)}
            download
            aria-label={`Download ${path}`}
          >
            <IconDownload size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Table.Td>
    </Table.Tr>
  );
}

function Preview({ artifact, close }: { artifact: Artifact; close: () => void }) {
  return (
    <Modal opened onClose={close} title={artifact.path} size="80rem">
      {kindOf(artifact.path) === "picture" ? (
        <img src={addressOf(artifact)} alt={artifact.path} style={{ maxWidth: "100%" }} />
      ) : (
        <Content artifact={artifact} />
      )}
    </Modal>
  );
}

function Content({ artifact }: { artifact: Artifact }) {
  const content = useQuery({
    queryKey: ["artifact", artifact.id],
    queryFn: ({ signal }) => readBeginning(artifact, signal),
  });
  if (content.isPending) return <Loading what="the file" />;
  if (content.error) return <Failed what="The file" error={content.error} again={() => void content.refetch()} />;
  const rest = artifact.size - mostShown;
  return (
    <Stack gap="xs">
      {rest > 0 && <Text size="sm">This is the beginning; {sizeIn(rest)} more are in the download.</Text>}
      <Shown artifact={artifact} text={content.data} />
    </Stack>
  );
}

/** A page of a job's making is another origin here, and runs nothing: neither its own scripts nor ours see each other. */
function Shown({ artifact: { path }, text }: { artifact: Artifact; text: string }) {
  const kind = kindOf(path);
  if (kind === "svg")
    return <img src={`data:image/svg+xml,${encodeURIComponent(text)}`} alt={path} style={{ maxWidth: "100%" }} />;
  if (kind === "page")
    return (
      <>
        <Text size="xs" c="dimmed">
          Shown without its scripts; the download has them.
        </Text>
        <iframe
          title={path}
          sandbox=""
          srcDoc={text}
          style={{ width: "100%", height: "65vh", border: "1px solid var(--rail)", background: "#fff" }}
        />
      </>
    );
  return (
    <Code block mah="65vh" tabIndex={0}>
      {text}
    </Code>
  );
}

async function readBeginning(artifact: Artifact, signal: AbortSignal): Promise<string> {
  if (artifact.size === 0) return "";
  const headers = { range: `bytes=0-${mostShown - 1}` };
  const answer = await reach(addressOf(artifact), { headers, signal });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer.text();
}
