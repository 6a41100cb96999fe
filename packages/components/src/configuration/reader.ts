/** Reads one value as a program, a shell or a file wrote it. `undefined` means that it cannot be read. */
export interface Reader<Value> {
  /** Completes the sentence "… must be": what is accepted. */
  readonly expects: string;
  read(given: unknown): Value | undefined;
}

export const yesOrNo: Reader<boolean> = {
  expects: 'true or false',
  read(given) {
    const word = typeof given === 'string' ? given.toLowerCase() : given;
    if (word === true || word === 'true' || word === '1') return true;
    return word === false || word === 'false' || word === '0' ? false : undefined;
  },
};

export function wholeNumber(min: number, max: number): Reader<number> {
  return {
    expects: `a whole number from ${min} to ${max}`,
    read(given) {
      const plain = typeof given === 'bigint' ? Number(given) : given;
      const value = typeof plain === 'string' && /^\d{1,16}$/.test(plain) ? Number(plain) : plain;
      const isInside = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
      return isInside ? value : undefined;
    },
  };
}

export const someText: Reader<string> = {
  expects: 'a text that is not empty',
  read: (given) => (typeof given === 'string' && given !== '' && !given.includes('\0') ? given : undefined),
};

/** A list in a file or a program; in a variable its entries have commas between them. */
export const someTexts: Reader<readonly string[]> = {
  expects: 'a list of texts, or texts with commas between them',
  read(given) {
    const entries: unknown = typeof given === 'string' ? given.split(',').map((entry) => entry.trim()) : given;
    if (!Array.isArray(entries)) return undefined;
    const texts = entries.filter((entry) => entry !== '');
    return texts.every((entry) => typeof entry === 'string') ? texts : undefined;
  },
};

/** As `someTexts`, of topic patterns: whole levels, with `+`, `*` and `#` for whole levels alone. */
export const somePatterns: Reader<readonly string[]> = {
  expects: 'a list of patterns such as agent.*, in which a wildcard stands for whole levels',
  read(given) {
    const texts = someTexts.read(given);
    return texts?.every((text) => text.split(/[./]/).every(isLevel)) ? texts : undefined;
  },
};

/** Whether a pattern has too many wildcards is for the engine to say; it is not loaded while events are off. */
function isLevel(level: string): boolean {
  return /^([+*#]|[^+*#\s]{1,255})$/.test(level);
}
