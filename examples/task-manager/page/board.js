const COLUMNS = [
  ['todo', 'To do'],
  ['in-progress', 'In progress'],
  ['review', 'Review'],
  ['done', 'Done'],
];
const RANK = { high: 0, medium: 1, low: 2 };

/** An element with attributes and children; texts are texts and never markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A circle with the first letters of somebody, always in the same colour. */
export function person(name) {
  let hue = 0;
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  const shown = element('span', { class: 'person', title: name }, name.slice(0, 2).toUpperCase());
  // As a property: the policy of the page lets no text be a style.
  shown.style.setProperty('--hue', hue);
  return shown;
}

/** Tasks in columns by their status; within one the urgent first, then the oldest. */
export class Board {
  #columns = new Map();
  #cards = new Map();
  #tasks = new Map();
  #selected = new Set();
  #wanted = '';
  #options;

  /** @param {{ root: HTMLElement, onOpen: (id: string) => void, onMove: (id: string, status: string) => void, onSelect: (ids: string[]) => void }} options */
  constructor(options) {
    this.#options = options;
    for (const [status, title] of COLUMNS) {
      const list = element('div', { class: 'cards' });
      const count = element('span', { class: 'count' }, '0');
      const column = element(
        'section',
        { class: 'column', 'data-status': status },
        element('h2', {}, title, count),
        list,
      );
      column.addEventListener('dragover', (event) => {
        event.preventDefault();
        column.classList.add('over');
      });
      column.addEventListener('dragleave', () => column.classList.remove('over'));
      column.addEventListener('drop', (event) => {
        event.preventDefault();
        column.classList.remove('over');
        options.onMove(event.dataTransfer.getData('text/plain'), status);
      });
      this.#columns.set(status, { list, count });
      options.root.append(column);
    }
  }

  /** All tasks, in place of those there are. */
  show(tasks) {
    for (const id of [...this.#tasks.keys()]) this.remove(id);
    for (const task of tasks) this.put(task);
  }

  put(task, isNews = false) {
    const before = this.#cards.get(task.id);
    const card = this.#card(task);
    this.#tasks.set(task.id, task);
    this.#cards.set(task.id, card);
    const focused = focusIn(before);
    before?.remove();
    const { list } = this.#columns.get(task.status);
    const next = [...list.children].find((each) => isBefore(task, this.#tasks.get(each.dataset.id)));
    list.insertBefore(card, next ?? null);
    // Whoever is on it with the keyboard stays on it, whoever changed it.
    if (focused === 'card') card.focus();
    if (focused === 'checkbox') card.querySelector('input').focus();
    if (isNews) card.classList.add('news');
    this.#count();
  }

  remove(id) {
    this.#cards.get(id)?.remove();
    this.#cards.delete(id);
    this.#tasks.delete(id);
    if (this.#selected.delete(id)) this.#options.onSelect([...this.#selected]);
    this.#count();
  }

  /** Shows those whose texts hold this. */
  find(text) {
    this.#wanted = text.trim().toLowerCase();
    for (const [id, card] of this.#cards) card.hidden = !this.#isWanted(this.#tasks.get(id));
    this.#count();
  }

  clearSelection() {
    for (const id of this.#selected) this.#cards.get(id).querySelector('input').checked = false;
    this.#selected.clear();
    this.#options.onSelect([]);
  }

  #isWanted({ title, description, assignee, id }) {
    return `${title} ${description} ${assignee ?? ''} ${id}`.toLowerCase().includes(this.#wanted);
  }

  #count() {
    for (const { list, count } of this.#columns.values()) {
      count.textContent = [...list.children].filter((card) => !card.hidden).length;
    }
  }

  #card(task) {
    const { id, title, priority, assignee, dependencies, watchers, collaborators } = task;
    const select = element('input', {
      type: 'checkbox',
      'aria-label': `Select ${title}`,
      checked: this.#selected.has(id),
      onchange: () => {
        if (select.checked) this.#selected.add(id);
        else this.#selected.delete(id);
        this.#options.onSelect([...this.#selected]);
      },
      onclick: (event) => event.stopPropagation(),
    });
    const facts = [
      element('span', { class: 'priority' }, priority),
      dependencies.length > 0
        ? element('span', { title: 'Waits for others' }, `waits for ${dependencies.length}`)
        : null,
      watchers.length > 0 ? element('span', { title: watchers.join(', ') }, `${watchers.length} watching`) : null,
      collaborators.length > 0
        ? element('span', { title: collaborators.join(', ') }, `+${collaborators.length}`)
        : null,
    ];
    const card = element(
      'article',
      {
        class: 'card',
        'data-id': id,
        'data-priority': priority,
        draggable: 'true',
        tabindex: '0',
        'aria-label': title,
      },
      element('div', { class: 'line' }, select, element('h3', {}, title), assignee ? person(assignee) : null),
      element('p', { class: 'facts' }, ...facts),
    );
    card.addEventListener('click', () => this.#options.onOpen(id));
    card.addEventListener('keydown', (event) => {
      if (!(event.key === 'Enter' || event.key === ' ') || event.target !== card) return;
      // The same key would go on to the button that has the focus then, and close what it opened.
      event.preventDefault();
      this.#options.onOpen(id);
    });
    card.addEventListener('dragstart', (event) => event.dataTransfer.setData('text/plain', id));
    card.hidden = !this.#isWanted(task);
    return card;
  }
}

function focusIn(card) {
  const { activeElement } = document;
  if (!card?.contains(activeElement)) return undefined;
  return activeElement === card ? 'card' : 'checkbox';
}

function isBefore(a, b) {
  const rank = RANK[a.priority] - RANK[b.priority];
  return rank < 0 || (rank === 0 && a.createdAt < b.createdAt);
}
