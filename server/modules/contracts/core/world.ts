/**
 * What the matrix is made of. A world may be a part of all there is, as long as it holds what a query can mean: the answer is
 * then the same, whatever else exists and in whatever order it came.
 */

/** Increases with creation, so it is also the order of versions and of verifications. */
export type Id = number;

export interface Version {
  id: Id;
  pacticipant: string;
  number: string;
  /** ISO 8601. */
  createdAt: string;
  branches: readonly string[];
  tags: readonly string[];
  /** Names of the environments in which it is deployed now. */
  deployed: readonly string[];
  /** Names of the environments to which it is released, and supported there. */
  released: readonly string[];
}

/** That a version of a consumer relies on a content, which any number of versions may share. */
export interface Publication {
  id: Id;
  /** Version of the consumer. */
  version: Id;
  consumer: string;
  provider: string;
  /** Identity of the content between this consumer and this provider. */
  content: string;
  /** SHA-256 of it, in hexadecimal: what clients name it by. */
  sha: string;
  /** ISO 8601. */
  createdAt: string;
}

/** A result belongs to the content, so it holds for every version that publishes the same. */
export interface Verification {
  id: Id;
  content: string;
  /** Counts the results of this content from 1. */
  number: number;
  /** Version of the provider. */
  version: Id;
  success: boolean;
  /** Made when the provider did not have to pass yet. */
  wip: boolean;
  createdAt: string;
}

/** By names. */
export interface Integration {
  consumer: string;
  provider: string;
}

export interface World {
  /** Every pacticipant that matters here, and the branch that it calls its main one. */
  pacticipants: ReadonlyMap<string, { mainBranch: string | null }>;
  /** Who ever had a contract with whom, of those whom the question is about. */
  integrations: readonly Integration[];
  versions: readonly Version[];
  publications: readonly Publication[];
  verifications: readonly Verification[];
}
