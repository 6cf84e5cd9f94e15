import { Group, List, Paper, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call, type Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { useActing } from "../parts/acting.ts";
import { Copy } from "../parts/copy.tsx";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { Section } from "../parts/section.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { developing } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";
import { checkNames, standingOf } from "./standing.ts";

interface Props {
  service: string;
  number: string;
}

type Verified = Output<"verifyRelease">;

/** Whether the signature holds, in words, and where the release is from. */
export function Trust({ service, number }: Props) {
  const verified = useQuery(read("verifyRelease", { params: { service, number } }));
  if (verified.isPending) return <Loading what="the signature" />;
  if (verified.error)
    return <Failed what="The signature" error={verified.error} again={() => void verified.refetch()} />;
  const { checks, provenance, attestation } = verified.data;
  const { tone, title, words } = standingOf(verified.data);
  const lacking = attestation.state !== "waiting" && checks.some(({ ok }) => !ok);
  return (
    <Section title="Can it be trusted?" about="Checked just now against the keys of this installation.">
      <Paper withBorder p="md">
        <Stack gap="sm">
          <Group gap="sm">
            <StateSign tone={tone}>{title}</StateSign>
            {lacking && <Again service={service} number={number} done={() => void verified.refetch()} />}
          </Group>
          <Text size="sm">{words}</Text>
          {attestation.state !== "waiting" && <Checks checks={checks} />}
          {provenance && <From provenance={provenance} />}
        </Stack>
      </Paper>
    </Section>
  );
}

function Checks({ checks }: Pick<Verified, "checks">) {
  return (
    <List size="sm" spacing={6} listStyleType="none" aria-label="Checks">
      {checks.map(({ what, ok, key, reason }) => (
        <List.Item key={what}>
          <StateSign tone={ok ? "good" : "bad"}>{ok ? "holds" : "lacks"}</StateSign>{" "}
          <Text span inherit fw={600}>
            {checkNames[what]}
          </Text>
          : {reason}
          {key && (
            <Text span size="xs" c="dimmed">
              {" "}
              by key <Copy value={key} shown={key.slice(0, 12)} what="id of the key" />
            </Text>
          )}
        </List.Item>
      ))}
    </List>
  );
}

function From({ provenance }: { provenance: NonNullable<Verified["provenance"]> }) {
  const { repository, branch, commit, number, build, agent } = provenance;
  return (
    <Text size="sm">
      Built by{" "}
      {number === null ? (
        <>
          build <Copy value={build} shown={build.slice(0, 8)} what="id of the build" />
        </>
      ) : (
        <Link to="/builds/$repository/$number" params={{ repository, number: String(number) }}>
          build {number} of {repository}
        </Link>
      )}
      {branch && ` on ${branch}`}
      {commit && (
        <>
          {" "}
          from commit <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />
        </>
      )}
      {agent && `, on agent ${agent}`}
    </Text>
  );
}

function Again({ service, number, done }: Props & { done: () => void }) {
  const acting = useActing();
  const sign = async () => {
    await call("attestRelease", { params: { service, number } });
    done();
  };
  return (
    <GuardedButton
      size="compact-sm"
      variant="default"
      mayNot={useMayNot()(developing)}
      loading={acting.isPending}
      onPress={() => acting.mutate({ what: "sign", run: sign })}
    >
      Sign it now
    </GuardedButton>
  );
}
