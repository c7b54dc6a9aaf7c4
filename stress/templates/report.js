// Search, filter and sort of the table of findings; without it that is a plain table.
'use strict';
(() => {
  const table = document.getElementById('lines');
  if (!table) return;
  const form = document.getElementById('filter');
  const count = document.getElementById('count');
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({
    row,
    text: row.textContent.toLowerCase(),
    card: row.dataset.card ? document.getElementById(row.dataset.card) : null,
  }));
  const heads = Array.from(table.tHead.rows[0].cells).filter((head) => head.dataset.sort);
  const fields = Array.from(form.elements).filter((field) => field.name);
  let order = '';

  // The address keeps what is asked for, so that it can be passed on.
  function remember() {
    const query = new URLSearchParams();
    for (const field of fields) if (field.value) query.set(field.name, field.value);
    if (order) query.set('sort', order);
    const text = query.toString();
    const address = location.pathname + (text ? '?' + text : '') + location.hash;
    try { history.replaceState(null, '', address); } catch (refused) { /* Some browsers do not for files. */ }
  }

  function filter() {
    const asked = Object.fromEntries(fields.map((field) => [field.name, field.value]));
    const words = asked.q.toLowerCase().split(/\s+/).filter(Boolean);
    const is = (value, wanted) => !wanted || value === wanted;
    let shown = 0;
    for (const { row, text, card } of rows) {
      const data = row.dataset;
      const match = is(data.severity, asked.severity) && is(data.kind, asked.kind) && is(data.vm, asked.vm)
        && (!asked.mark || data.mark.split(' ').includes(asked.mark))
        && words.every((word) => text.includes(word));
      row.hidden = !match;
      if (card) card.hidden = !match;
      shown += match;
    }
    count.textContent = shown + ' of ' + rows.length + ' findings';
  }

  // Empty cells come last both ways.
  function sort(head, ascending) {
    const at = head.cellIndex;
    const number = head.dataset.sort === 'number';
    const key = (row) => {
      const cell = row.cells[at];
      const text = 'v' in cell.dataset ? cell.dataset.v : cell.textContent.trim();
      return !number ? text : text === '' ? null : Number(text);
    };
    const keyed = rows.map((one) => [key(one.row), one.row]);
    const compare = number ? (a, b) => a - b : new Intl.Collator('en', { numeric: true }).compare;
    keyed.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null)
      : ascending ? compare(a, b) : compare(b, a));
    body.append(...keyed.map(([, row]) => row));
    for (const other of heads) other.setAttribute('aria-sort', 'none');
    head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    order = (ascending ? '' : '-') + head.textContent;
  }

  for (const head of heads) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute('aria-sort', 'none');
    button.addEventListener('click', () => {
      sort(head, head.getAttribute('aria-sort') !== 'ascending');
      remember();
    });
  }
  form.addEventListener('input', () => { filter(); remember(); });
  form.addEventListener('reset', () => setTimeout(() => { filter(); remember(); }));
  form.addEventListener('submit', (event) => event.preventDefault());
  // A link to a finding that the filter hides shows all again.
  function reveal() {
    const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (wanted && wanted.hidden) { form.reset(); filter(); wanted.scrollIntoView(); }
  }
  addEventListener('hashchange', reveal);

  const query = new URLSearchParams(location.search);
  for (const field of fields) if (query.get(field.name)) field.value = query.get(field.name);
  form.hidden = false;
  const wanted = query.get('sort');
  const head = wanted && heads.find((one) => one.textContent === wanted.replace(/^-/, ''));
  if (head) sort(head, !wanted.startsWith('-'));
  if (fields.some((field) => field.value)) filter();
  reveal();
})();
