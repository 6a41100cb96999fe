import Type from 'typebox';

const CLOSED = { additionalProperties: false };
const COUNT = Type.Integer({ minimum: 0 });

/** What retention removed of the debts of one subscription. */
export const DEBT_REMOVED = Type.Object(
  {
    count: COUNT,
    ranges: Type.Array(
      Type.Object(
        {
          from: Type.Integer({ minimum: 1, description: 'Positions of the log, both inside.' }),
          through: Type.Integer({ minimum: 1 }),
          count: COUNT,
          atMs: Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' }),
        },
        CLOSED,
      ),
      { description: 'The newest last; only the last hundred.' },
    ),
  },
  { ...CLOSED, description: 'Events that it was owed when retention removed them; shown of one subscription.' },
);
