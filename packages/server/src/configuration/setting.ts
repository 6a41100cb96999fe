/** Reads one value as a person, a shell or a file wrote it. `undefined` means that it cannot be read. */
export interface Reader<Value> {
  /** Completes the sentence "… must be": what is accepted. */
  readonly expects: string;
  read(given: unknown): Value | undefined;
}

/** What every row of the table of settings says. */
export interface SettingRow<Value> {
  /** `EVENT_MANAGER_` and the name. */
  readonly variable: string;
  /** Variables that mean the same and are read when `variable` is not there: names that platforms and other programs use. */
  readonly aliases?: readonly string[];
  /** Other names in a file: spellings without the unit, as the specification has them. */
  readonly spellings?: readonly string[];
  readonly reader: Reader<Value>;
  readonly reason: string;
  /** Never shown; its variables also exist with `_FILE` behind them, naming a file that holds the value. */
  readonly secret?: true;
}

/** One row of the table of settings. */
export interface Setting<Value> extends SettingRow<Value> {
  /** Name on the command line, without the dashes; only what is changed from one start to the next has one. */
  readonly flag?: string;
  /** `undefined` when the value depends on the surroundings or may be absent. */
  readonly fallback: Value;
  /**
   * A change of the file is in force at once, without a restart. Only for values that are read where they are used, from the
   * configuration itself: a copy taken at the start would stay as it was.
   */
  readonly live?: true;
}

export function setting<Value>(row: Setting<Value>): Setting<Value> {
  return row;
}

export function wholeNumber(min: number, max: number): Reader<number> {
  return {
    expects: `a whole number from ${min} to ${max}`,
    read(given) {
      const value = typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : given;
      const isInside = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
      return isInside ? value : undefined;
    },
  };
}

export function oneOf<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  return {
    expects: `one of ${words.join(', ')}`,
    read: (given) => words.find((word) => word === given),
  };
}

/** The same without regard to case: `LOG_LEVEL=INFO` is what many environments say. */
export function oneOfInAnyCase<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  const reader = oneOf(...words);
  return { ...reader, read: (given) => reader.read(typeof given === 'string' ? given.toLowerCase() : given) };
}

export const someText: Reader<string> = {
  expects: 'a text that is not empty',
  read: (given) => (typeof given === 'string' && given !== '' && !given.includes('\0') ? given : undefined),
};

export function textLike(form: RegExp, expects: string): Reader<string> {
  return { expects, read: (given) => (typeof given === 'string' && form.test(given) ? given : undefined) };
}

export const yesOrNo: Reader<boolean> = {
  expects: 'true or false',
  read(given) {
    if (given === true || given === 'true' || given === '1') return true;
    return given === false || given === 'false' || given === '0' ? false : undefined;
  },
};

/** Origins as browsers write them in their headers: whatever is spelled otherwise would never be met. */
export const someOrigins: Reader<readonly string[]> = {
  expects: 'a list of origins such as https://app.example:8443, without a path and in small letters',
  read(given) {
    const texts = someTexts.read(given);
    return texts?.every((text) => /^https?:[^*]*$/.test(text) && URL.parse(text)?.origin === text) ? texts : undefined;
  },
};

/** A list in a file, or its entries with commas between them. */
export const someTexts: Reader<readonly string[]> = {
  expects: 'a list of texts, or texts with commas between them',
  read(given) {
    const entries: unknown = typeof given === 'string' ? given.split(',').map((entry) => entry.trim()) : given;
    if (!Array.isArray(entries)) return undefined;
    const texts = entries.filter((entry) => entry !== '');
    return texts.every((entry) => typeof entry === 'string') ? texts : undefined;
  },
};
