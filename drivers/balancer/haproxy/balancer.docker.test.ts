import { balancerConformance } from "../conformance.ts";
import { createTestBed } from "#testing/balancer-bed.ts";

balancerConformance("HAProxy", createTestBed);
