import { Board, element, person } from './board.js';
import { followEvents } from './live-events.js';
import { happening, TaskDialog } from './task-dialog.js';

const ACTIVITY_MAX = 40;
const NOTICE_MS = 6_000;
const TYPES = [
  'task_created',
  'task_updated',
  'task_deleted',
  'task_status_changed',
  'task_priority_changed',
  'task_assigned',
  'task_collaborators_updated',
  'task_watchers_updated',
  'task_dependency_added',
  'task_dependency_removed',
];

const $ = (selector) => document.querySelector(selector);
const tasks = new Map();
const user = $('#user');
user.value = localStorage.getItem('user') ?? 'ann';
user.addEventListener('change', () => localStorage.setItem('user', user.value));
let noticeTimer = 0;

/** Asks the server; what it refuses is shown, and answered with nothing. */
async function ask(method, path, body) {
  const headers = { 'x-user': encodeURIComponent(user.value.trim()) };
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    const response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    notice(answer.detail);
  } catch {
    notice('The server cannot be reached. What you see may be old.');
  }
  return undefined;
}

function notice(words) {
  const shown = $('#notice');
  shown.textContent = words;
  shown.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => {
    shown.hidden = true;
  }, NOTICE_MS);
}

const dialog = new TaskDialog({
  taskOf: (id) => tasks.get(id),
  tasks: () => [...tasks.values()],
  me: () => user.value.trim(),
  ask,
});
let selected = [];
const board = new Board({
  root: $('#board'),
  onOpen: (id) => dialog.open(id),
  onMove: (id, status) => tasks.get(id)?.status !== status && void ask('PUT', `/api/tasks/${id}/status`, { status }),
  onSelect: (ids) => {
    selected = ids;
    $('#bulk').hidden = ids.length === 0;
    $('#bulk-count').textContent = `${ids.length} selected`;
  },
});

$('#search').addEventListener('input', ({ target }) => board.find(target.value));
$('#add').addEventListener('submit', async (event) => {
  event.preventDefault();
  const [title, priority] = [$('#new-title').value, $('#new-priority').value];
  if (await ask('POST', '/api/tasks', { title, priority })) $('#add').reset();
});
$('#bulk-clear').addEventListener('click', () => board.clearSelection());
$('#bulk').addEventListener('submit', async (event) => {
  event.preventDefault();
  const chosen = { status: $('#bulk-status').value, priority: $('#bulk-priority').value };
  const changes = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== ''));
  const answer = await ask('POST', '/api/tasks/bulk', { ids: selected, changes });
  if (!answer) return;
  const refused = answer.results.filter(({ error }) => error);
  if (refused.length > 0) notice(`${refused.length} not changed: ${refused[0].error.detail}`);
  $('#bulk').reset();
  board.clearSelection();
});

/** Events say how the task is behind them, so taking one in twice changes nothing. */
function take({ type, payload: { task, by, changes }, timestamp }) {
  if (type === 'task_deleted') {
    tasks.delete(task.id);
    board.remove(task.id);
  } else {
    tasks.set(task.id, task);
    board.put(task, true);
  }
  dialog.changed(task.id);
  tell(type, by, changes, task.title, timestamp);
}

function tell(type, by, changes, title, timestamp) {
  const time = new Date(timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const line = element('li', {}, person(by), happening({ type, by, changes }, title), element('time', {}, time));
  const list = $('#activity');
  list.querySelector('.nothing')?.remove();
  list.prepend(line);
  while (list.children.length > ACTIVITY_MAX) list.lastChild.remove();
}

function pageName() {
  const known = sessionStorage.getItem('page') ?? crypto.randomUUID();
  sessionStorage.setItem('page', known);
  return known;
}

/** Shows what there is, and follows what happens from there on; begins anew where that cannot be had without a hole. */
async function start() {
  const snapshot = await ask('GET', '/api/tasks');
  if (!snapshot) {
    setTimeout(start, 1_000);
    return;
  }
  tasks.clear();
  for (const task of snapshot.tasks) tasks.set(task.id, task);
  board.show(snapshot.tasks);
  const stop = followEvents({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`,
    cursor: snapshot.cursor,
    client: pageName(),
    eventTypes: TYPES,
    onEvent: take,
    onState: (state) => {
      $('#live').dataset.state = state;
      $('#live b').textContent = state === 'live' ? 'live' : 'reconnecting';
    },
    onMissed: () => {
      stop();
      void start();
    },
  });
}

await start();
