/**
 * Reading and writing of golden scenario files: commands, a line of dashes, what they brought
 * about, an empty line. A command that prints nothing has no output lines.
 */

export interface Block {
  /** Comments and commands as they stand in the file. */
  readonly lines: readonly string[];
  readonly expected: readonly string[];
}

const SEPARATOR = '----';

export function parseScript(text: string): Block[] {
  const blocks: Block[] = [];
  for (const paragraph of text.split(/\n\s*\n/)) {
    const lines = paragraph.split('\n').filter((line) => line.trim() !== '');
    if (lines.length === 0) continue;
    const at = lines.indexOf(SEPARATOR);
    blocks.push(
      at < 0
        ? { lines, expected: [] }
        : { lines: lines.slice(0, at), expected: lines.slice(at + 1) },
    );
  }
  return blocks;
}

export function commandsOf(block: Block): string[] {
  return block.lines.map((line) => line.trim()).filter((line) => !line.startsWith('#'));
}

export function printScript(blocks: readonly Block[]): string {
  const paragraphs = blocks.map(({ lines, expected }) => {
    const hasCommands = lines.some((line) => !line.trim().startsWith('#'));
    return [...lines, ...(hasCommands ? [SEPARATOR, ...expected] : [])].join('\n');
  });
  return `${paragraphs.join('\n\n')}\n`;
}
