/** Where everything stands: all heights are decided here. */
import type { InjectedFault } from '../../simulation/run-record.ts';
import type { Run } from './run.ts';

export const GUTTER = 132;
export const RIGHT_MARGIN = 12;
export const NODE_HEIGHT = 50;
const FAULT_ROW = 17;
const MAX_FAULT_ROWS = 8;
const SECTION_GAP = 22;
/** Room for a label is kept behind a fault that would share its row with the next. */
const FAULT_GAP_SHARE = 0.004;

export interface Band {
  readonly top: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly overview: Band;
  readonly axis: Band;
  readonly faults: Band;
  readonly nodes: Band;
  readonly clients: Band;
  readonly latency: Band;
  readonly rate: Band;
  readonly clientRow: number;
  /** Row of each fault, by place. */
  readonly faultRows: Int32Array;
  readonly faultRow: number;
}

export function layOut(run: Run, width: number): Layout {
  const { faultRows, count } = packFaults(run.record.faults, run.durationMs);
  const clientRow = Math.min(20, Math.max(7, Math.floor(320 / Math.max(1, run.rows.length))));
  let top = 0;
  const take = (height: number, gap: number): Band => {
    const band = { top: top + gap, height };
    top += gap + height;
    return band;
  };
  const overview = take(46, 6);
  const axis = take(36, 8);
  const faults = take(Math.max(1, count) * FAULT_ROW, 4);
  const nodes = take(run.record.nodes.length * NODE_HEIGHT, SECTION_GAP);
  const clients = take(run.rows.length * clientRow, SECTION_GAP + 6);
  const latency = take(112, SECTION_GAP + 4);
  const rate = take(64, SECTION_GAP);
  return {
    width,
    height: top + 14,
    overview,
    axis,
    faults,
    nodes,
    clients,
    latency,
    rate,
    clientRow,
    faultRows,
    faultRow: FAULT_ROW,
  };
}

interface Packed {
  readonly faultRows: Int32Array;
  readonly count: number;
}

/** Each fault in the first row that is free; with too many at once, in the one free soonest. */
function packFaults(faults: readonly InjectedFault[], durationMs: number): Packed {
  const freeAtMs: number[] = [];
  const faultRows = new Int32Array(faults.length);
  faults.forEach(({ fromMs, toMs }, i) => {
    let row = freeAtMs.findIndex((ms) => ms <= fromMs);
    if (row === -1 && freeAtMs.length < MAX_FAULT_ROWS) row = freeAtMs.length;
    if (row === -1) row = freeAtMs.indexOf(Math.min(...freeAtMs));
    faultRows[i] = row;
    freeAtMs[row] = toMs + durationMs * FAULT_GAP_SHARE;
  });
  return { faultRows, count: freeAtMs.length };
}
