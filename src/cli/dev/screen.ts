/** Log lines above, below them one status line, redrawn in place; without a terminal just lines. */
const PREFIX_COLOURS = [36, 33, 35, 32, 34, 31];

export interface Screen {
  /** A line of one node's log, or of the cluster itself when `node` is undefined. */
  log(node: { readonly id: string; readonly number: number } | undefined, line: string): void;
  /** Replaces the status line; without a terminal it is printed only when it says something new. */
  status(line: string): void;
  close(): void;
}

export function createScreen(output: NodeJS.WriteStream): Screen {
  const terminal = output.isTTY;
  let status = '';
  const clear = (): void => {
    if (terminal && status !== '') output.write('\r\u001b[K');
  };
  const draw = (): void => {
    if (terminal && status !== '') output.write(status.slice(0, output.columns - 1));
  };
  return {
    log: (node, line) => {
      clear();
      output.write(`${node === undefined ? '' : prefix(node, terminal)}${line}\n`);
      draw();
    },
    status: (line) => {
      if (line === status) return;
      clear();
      status = line;
      if (terminal) draw();
      else output.write(`${line}\n`);
    },
    close: () => {
      clear();
      status = '';
    },
  };
}

function prefix(node: { readonly id: string; readonly number: number }, colour: boolean): string {
  const text = `${node.id} | `;
  const code = PREFIX_COLOURS[node.number % PREFIX_COLOURS.length] ?? 0;
  return colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}
