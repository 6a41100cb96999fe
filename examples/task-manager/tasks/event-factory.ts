import { TASK_EVENTS, type TaskEventType } from './task-events.ts';

type Pascal<Text extends string> = Text extends `${infer Head}_${infer Rest}`
  ? `${Capitalize<Head>}${Pascal<Rest>}`
  : Capitalize<Text>;

/** An event that is ready to be published. */
export type TaskEvent = ReturnType<(typeof TASK_EVENTS)[TaskEventType]> & { readonly type: TaskEventType };

type TaskEventFactory = {
  readonly [Type in TaskEventType as `create${Pascal<Type>}`]: (
    ...given: Parameters<(typeof TASK_EVENTS)[Type]>
  ) => TaskEvent;
};

/** `EventFactory.createTaskCreated(task, 'ann')`: a function for each of the ten types. */
export const EventFactory = Object.fromEntries(
  Object.entries(TASK_EVENTS).map(([type, make]) => [
    `create${type.replace(/(?:^|_)(\w)/g, (_found, letter: string) => letter.toUpperCase())}`,
    (...given: never[]) => ({ type, ...(make as (...all: never[]) => object)(...given) }),
  ]),
) as unknown as TaskEventFactory;
