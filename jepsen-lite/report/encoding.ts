/**
 * How a run travels inside its report: as JSON, with the long lists turned into columns, so that
 * ten thousand operations stay small. Decoding gives the record back, field for field. Both ends
 * are here; the page carries this file too.
 */
import type { Operation, OperationType } from '../history/operation.ts';
import type { Message, RunRecord } from '../simulation/run-record.ts';

/** The order found for one part of the history; numbers are places in the history. */
export interface DrawnOrder {
  readonly checker: string;
  readonly part: string;
  readonly operations: readonly number[];
  readonly end: 'whole' | 'stuck' | 'gaveUp';
  /** What has no place behind the others; -1: none. */
  readonly stuck: number;
}

/** What a page is made from. */
export interface PageData {
  readonly record: RunRecord;
  readonly orders: readonly DrawnOrder[];
}

/** Place of an absent value, where columns hold places in the list of values. */
const ABSENT = -1;
const TYPES: readonly OperationType[] = ['ok', 'fail', 'info'];

/** One list a field; `more` has the fields that are not known, by place. */
interface OperationColumns {
  readonly process: number[];
  readonly call: number[];
  readonly return: (number | null)[];
  readonly type: number[];
  readonly f: number[];
  readonly key: number[];
  readonly value: number[];
  readonly output: number[];
  readonly revision: (number | null)[];
  readonly error: number[];
  readonly node: number[];
  readonly more: Record<string, unknown>;
}

interface MessageColumns {
  readonly from: number[];
  readonly to: number[];
  readonly type: number[];
  readonly sentMs: number[];
  readonly receivedMs: (number | null)[];
  readonly text: number[];
}

export interface EncodedPage {
  readonly record: Omit<RunRecord, 'history' | 'messages'>;
  readonly messages: { readonly sent: number; readonly choice: string };
  readonly orders: readonly DrawnOrder[];
  /** Every key, value, output and name once. */
  readonly values: readonly unknown[];
  readonly operationColumns: OperationColumns;
  readonly messageColumns: MessageColumns;
}

export function encodePage({ record, orders }: PageData): EncodedPage {
  const { history, messages, ...rest } = record;
  const values = new Values();
  return {
    record: rest,
    messages: { sent: messages.sent, choice: messages.choice },
    orders,
    operationColumns: columnsOfOperations(history, values),
    messageColumns: columnsOfMessages(messages.kept, values),
    values: values.list,
  };
}

export function decodePage(page: EncodedPage): PageData {
  const { operationColumns, messageColumns, values, orders } = page;
  const history = operationColumns.process.map((_, i) => operationAt(operationColumns, values, i));
  const kept = messageColumns.from.map((_, i) => messageAt(messageColumns, values, i));
  return { record: { ...page.record, history, messages: { ...page.messages, kept } }, orders };
}

/** Gives equal values the same place. */
class Values {
  readonly list: unknown[] = [];
  readonly #places = new Map<string, number>();

  placeOf(value: unknown): number {
    if (value === undefined) return ABSENT;
    const text = JSON.stringify(value);
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.list.push(value) - 1;
      this.#places.set(text, place);
    }
    return place;
  }
}

function columnsOfOperations(history: readonly Operation[], values: Values): OperationColumns {
  const columns: OperationColumns = {
    process: [],
    call: [],
    return: [],
    type: [],
    f: [],
    key: [],
    value: [],
    output: [],
    revision: [],
    error: [],
    node: [],
    more: {},
  };
  history.forEach((operation, i) => {
    const { process, call, type, f, key, value, output, revision, error, node, ...rest } =
      operation;
    const { return: end, ...more } = rest;
    columns.process.push(process);
    columns.call.push(call);
    columns.return.push(end);
    columns.type.push(TYPES.indexOf(type));
    columns.f.push(values.placeOf(f));
    columns.key.push(values.placeOf(key));
    columns.value.push(values.placeOf(value));
    columns.output.push(values.placeOf(output));
    columns.revision.push(revision ?? null);
    columns.error.push(values.placeOf(error));
    columns.node.push(values.placeOf(node));
    if (Object.keys(more).length > 0) columns.more[i] = more;
  });
  return columns;
}

function operationAt(columns: OperationColumns, values: readonly unknown[], i: number): Operation {
  const fields: Record<string, unknown> = {
    process: columns.process[i],
    f: values[columns.f[i]!],
    call: columns.call[i],
    return: columns.return[i],
    type: TYPES[columns.type[i]!],
  };
  const revision = columns.revision[i];
  if (revision !== null) fields['revision'] = revision;
  for (const name of ['key', 'value', 'output', 'error', 'node'] as const) {
    const place = columns[name][i]!;
    if (place !== ABSENT) fields[name] = values[place];
  }
  return Object.assign(fields, columns.more[i]) as object as Operation;
}

function columnsOfMessages(messages: readonly Message[], values: Values): MessageColumns {
  return {
    from: messages.map(({ from }) => values.placeOf(from)),
    to: messages.map(({ to }) => values.placeOf(to)),
    type: messages.map(({ type }) => values.placeOf(type)),
    sentMs: messages.map(({ sentMs }) => sentMs),
    receivedMs: messages.map(({ receivedMs }) => receivedMs),
    text: messages.map(({ text }) => values.placeOf(text)),
  };
}

function messageAt(columns: MessageColumns, values: readonly unknown[], i: number): Message {
  const place = columns.text[i]!;
  return {
    from: values[columns.from[i]!] as string,
    to: values[columns.to[i]!] as string,
    type: values[columns.type[i]!] as string,
    sentMs: columns.sentMs[i]!,
    receivedMs: columns.receivedMs[i]!,
    ...(place !== ABSENT && { text: values[place] as string }),
  };
}
