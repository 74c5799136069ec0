/** A progress line on stderr: redrawn in place on a terminal, once in a while elsewhere. */
const TERMINAL_INTERVAL_MS = 200;
const PLAIN_INTERVAL_MS = 5000;

export interface Progress {
  /** Draws `line` if enough time has passed since the last. */
  update(line: () => string): void;
  /** Replaces the line by a last one. */
  end(line: string): void;
  /** Leaves no line behind, on a terminal. */
  clear(): void;
}

export function startProgress(): Progress {
  const terminal = process.stderr.isTTY;
  const interval = terminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS;
  let last = performance.now();
  return {
    update: (line) => {
      const now = performance.now();
      if (now - last < interval) return;
      last = now;
      process.stderr.write(terminal ? `\r\u001b[K${line()}` : `${line()}\n`);
    },
    end: (line) => {
      process.stderr.write(terminal ? `\r\u001b[K${line}\n` : `${line}\n`);
    },
    clear: () => {
      if (terminal) process.stderr.write('\r\u001b[K');
    },
  };
}
