import { element } from './board.js';

const namesOf = (text) => [...new Set(text.split(/[\s,]+/).filter((name) => name !== ''))];

const SAYS = {
  task_created: ['created'],
  task_deleted: ['deleted'],
  task_updated: ['changed', ({ changes }) => Object.keys(changes).join(' and ')],
  task_status_changed: ['moved', says('status')],
  task_priority_changed: ['changed the priority of', says('priority')],
  task_assigned: ['assigned', says('assignee')],
  task_collaborators_updated: ['changed who works on', says('collaborators')],
  task_watchers_updated: ['changed who watches', says('watchers')],
  task_dependency_added: ['lets wait', says('dependencies')],
  task_dependency_removed: ['lets wait no more', says('dependencies')],
};

/** What happened, in words: who did what to this task, and what of it changed. */
export function happening(event, title) {
  const [verb, detail] = SAYS[event.type] ?? [event.type];
  const words = element('span', {}, `${event.by} ${verb} `, title === undefined ? 'it' : element('b', {}, title));
  if (detail) words.append(element('small', {}, detail(event)));
  return words;
}

function says(field) {
  return ({ changes }) => `${show(changes[field].from)} → ${show(changes[field].to)}`;
}

function show(value) {
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'nobody';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** What the fields of the form hold where nobody has typed. */
function fieldsOf({ title, description, status, priority, assignee, collaborators }) {
  return { title, description, status, priority, assignee: assignee ?? '', collaborators: collaborators.join(', ') };
}

/** One task with everything that can be done to it. */
export class TaskDialog {
  #dialog = document.querySelector('#task');
  #form = document.querySelector('#task-form');
  #options;
  #task;

  /** @param {{ taskOf: (id: string) => object, tasks: () => object[], me: () => string, ask: (method: string, path: string, body?: object) => Promise<object> }} options */
  constructor(options) {
    this.#options = options;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#save();
    });
    document.querySelector('#task-close').addEventListener('click', () => this.#dialog.close());
    document.querySelector('#task-delete').addEventListener('click', () => void this.#do('DELETE', ''));
    document.querySelector('#task-watch').addEventListener('click', () => void this.#watch());
    document.querySelector('#task-dependency').addEventListener('change', ({ target }) => void this.#depend(target));
  }

  open(id) {
    this.#task = this.#options.taskOf(id);
    if (!this.#task) return;
    this.#fill();
    this.#dialog.showModal();
  }

  /** Somebody changed a task: what nobody is typing in follows. */
  changed(id) {
    if (!this.#dialog.open || this.#task?.id !== id) return;
    const task = this.#options.taskOf(id);
    if (!task) {
      this.#dialog.close();
      return;
    }
    const after = fieldsOf(task);
    for (const [field, before] of Object.entries(fieldsOf(this.#task))) {
      const input = this.#form.elements[field];
      if (input.value === before) input.value = after[field];
    }
    this.#task = task;
    this.#showLists();
    void this.#showHistory();
  }

  #fill() {
    document.querySelector('#task-heading').textContent = this.#task.id;
    for (const [field, value] of Object.entries(fieldsOf(this.#task))) this.#form.elements[field].value = value;
    this.#showLists();
    void this.#showHistory();
  }

  #showLists() {
    const { dependencies, watchers, id } = this.#task;
    const chips = dependencies.map((each) =>
      element(
        'li',
        {},
        this.#options.taskOf(each)?.title ?? each,
        element(
          'button',
          {
            type: 'button',
            'aria-label': `Do not wait for ${each}`,
            onclick: () => void this.#do('DELETE', `/dependencies/${each}`),
          },
          '✕',
        ),
      ),
    );
    document.querySelector('#task-dependencies').replaceChildren(...chips);
    const others = this.#options.tasks().filter((task) => task.id !== id && !dependencies.includes(task.id));
    document
      .querySelector('#task-dependency')
      .replaceChildren(
        element('option', { value: '' }, 'Add a task…'),
        ...others.map((task) => element('option', { value: task.id }, task.title)),
      );
    document.querySelector('#task-watch').textContent = watchers.includes(this.#options.me())
      ? 'Stop watching'
      : 'Watch';
  }

  async #showHistory() {
    const { id } = this.#task;
    const history = await this.#options.ask('GET', `/api/tasks/${id}/history`);
    if (!history || this.#task.id !== id) return;
    const lines = history
      .reverse()
      .map((entry) =>
        element(
          'li',
          {},
          element('time', { datetime: entry.at }, new Date(entry.at).toLocaleString()),
          happening(entry),
        ),
      );
    document.querySelector('#task-history').replaceChildren(...lines);
  }

  async #save() {
    const { elements } = this.#form;
    const { id } = this.#task;
    const wanted = {
      title: elements.title.value,
      description: elements.description.value,
      status: elements.status.value,
      priority: elements.priority.value,
      assignee: elements.assignee.value.trim() || null,
      collaborators: namesOf(elements.collaborators.value),
    };
    // Only what was changed here: somebody else may have changed the rest meanwhile.
    const changed = Object.entries(wanted).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(this.#task[name]),
    );
    if (changed.length === 0 || (await this.#options.ask('PATCH', `/api/tasks/${id}`, Object.fromEntries(changed))))
      this.#dialog.close();
  }

  async #watch() {
    const { watchers } = this.#task;
    const me = this.#options.me();
    const wanted = watchers.includes(me) ? watchers.filter((each) => each !== me) : [...watchers, me];
    await this.#do('PUT', '/watchers', { watchers: wanted });
  }

  async #depend(select) {
    const { value } = select;
    select.value = '';
    if (value !== '') await this.#do('POST', '/dependencies', { dependsOn: value });
  }

  #do(method, path, body) {
    return this.#options.ask(method, `/api/tasks/${this.#task.id}${path}`, body);
  }
}
