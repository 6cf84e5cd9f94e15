/** What a place shows while it has nothing to show. */
import { Alert, Button, Center, Code, Loader, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconLock, IconMoodEmpty } from "@tabler/icons-react";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Refused } from "../api/call.ts";

export function Loading({ what }: { what: string }) {
  return (
    <Center mih={240} role="status" aria-label={`Reading ${what}`}>
      <Loader type="dots" />
    </Center>
  );
}

export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Center mih={320}>
      <Stack align="center" gap="xs" maw={520} ta="center">
        <IconMoodEmpty size={40} stroke={1.3} aria-hidden />
        <Title order={2} size="h4">
          {title}
        </Title>
        <Text c="dimmed">{children}</Text>
      </Stack>
    </Center>
  );
}

export function Failed({ error, what, again }: { error: Error; what: string; again: () => void }) {
  const forbidden = error instanceof Refused && error.code === "auth.forbidden";
  return (
    <Alert
      color={forbidden ? "gray" : "red"}
      icon={forbidden ? <IconLock aria-hidden /> : <IconAlertTriangle aria-hidden />}
      title={
        forbidden
          ? `Your role does not show you ${what.charAt(0).toLowerCase()}${what.slice(1)}`
          : `${what} could not be read`
      }
      my="md"
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          {error.message} {error instanceof Refused && <Code>{error.code}</Code>}
        </Text>
        {error instanceof Refused && error.fix && <Text size="sm">{error.fix}</Text>}
        {!forbidden && (
          <Button size="xs" variant="default" onClick={again}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** In place of a page whose code did not come, or failed. */
export function Broken({ error }: ErrorComponentProps) {
  return (
    <Failed
      error={error instanceof Error ? error : new Error(String(error))}
      what="This page"
      again={() => window.location.reload()}
    />
  );
}

export function NotFound() {
  return (
    <Empty title="There is no such page">
      It may have been renamed. <Link to="/">Back to the fleet</Link>
    </Empty>
  );
}
