/**
 * `holdfast/jepsen-lite`: fault injection for what you build on Holdfast.
 *
 * - `testLogStoreUnderFaults`: a log store of yours under whole clusters;
 * - `simulate`: a state machine of yours on Holdfast's Raft, with clients and a check of yours;
 * - `checkers`, `linearizability` and `parseHistory`: histories of any program, judged.
 */
export { testLogStoreUnderFaults, type LogStoreUnderFaultsOptions } from './user/test-log-store.ts';
export { simulate, type SimulateOptions } from './user/simulate.ts';
export type { MachineClient } from './user/machine-client.ts';
export type { CheckHistory, Complaint } from './user/machine-workload.ts';
export type { RunChoice, RunFailure, RunsResult } from './user/run-seeds.ts';
export { checkers } from './checkers/index.ts';
export { shapeFault } from './checkers/shapes.ts';
export { linearizability } from './checkers/linearizability.ts';
export type { Model } from './checkers/model.ts';
export type { CheckOptions, Checker, Verdict } from './checkers/verdict.ts';
export type { Operation, OperationType } from './history/operation.ts';
export type { LineRule } from './history/format.ts';
export { parseHistory, readHistory } from './history/read.ts';
export type { RunRecord, Violation } from './simulation/run-record.ts';
