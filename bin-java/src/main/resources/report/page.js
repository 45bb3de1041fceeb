(function () {
  'use strict';

  const FIRST = 25; // neurons listed before "show all"

  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  function theme() {
    const button = document.querySelector('.theme');
    const root = document.documentElement;
    button.hidden = false;
    button.addEventListener('click', () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === 'dark'
        : window.matchMedia('(prefers-color-scheme: dark)').matches;
      root.dataset.theme = dark ? 'light' : 'dark';
    });
  }

  // Browsers show <title> late and small, so a mark's title is shown at once in a box of our own while it is pointed at.
  function tips() {
    const box = document.createElement('div');
    box.className = 'tip';
    document.body.append(box);
    let title = null;
    let owner = null;
    const leave = () => {
      if (title) owner.prepend(title);
      title = owner = null;
      box.style.display = 'none';
    };
    document.addEventListener('pointerover', event => {
      leave();
      const mark = event.target.closest && event.target.closest('.fig .mark, .fig .cell, .fig .cell-empty, .fig .bar, .fig .interval');
      const found = mark && mark.querySelector('title');
      if (!found) return;
      owner = mark;
      title = found;
      box.textContent = found.textContent;
      found.remove();
      box.style.display = 'block';
      const at = mark.getBoundingClientRect();
      const width = box.offsetWidth;
      box.style.left = Math.max(4, Math.min(innerWidth - width - 4, at.left + at.width / 2 - width / 2)) + 'px';
      box.style.top = (at.top > box.offsetHeight + 8 ? at.top - box.offsetHeight - 6 : at.bottom + 6) + 'px';
    });
    document.addEventListener('scroll', leave, { passive: true });
  }

  function key(row, column) {
    const cell = row.cells[column];
    if (!cell) return null;
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = cell.textContent.trim();
    return text === '–' ? null : text;
  }

  // Undefined cells stay last in either direction; equal ones keep their order.
  function compare(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    const numbers = typeof a === 'number' && typeof b === 'number';
    return sign * (numbers ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true }));
  }

  function sort(table, column, sign) {
    const bodies = Array.from(table.tBodies);
    const several = bodies.length > 1;
    const items = several ? bodies : Array.from(bodies[0].rows);
    const keyed = items.map(item => [key(several ? item.rows[0] : item, column), item]);
    keyed.sort((a, b) => compare(a[0], b[0], sign));
    (several ? table : bodies[0]).append(...keyed.map(pair => pair[1]));
    table.dispatchEvent(new Event('sorted', { bubbles: true }));
  }

  function sorting() {
    for (const table of all('table.sortable')) {
      const heads = Array.from(table.tHead.rows[0].cells);
      heads.forEach((head, column) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener('click', () => {
          const up = head.getAttribute('aria-sort') === 'descending';
          heads.forEach(other => other.removeAttribute('aria-sort'));
          head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
          sort(table, column, up ? 1 : -1);
        });
      });
      alignHeads(table, heads);
    }
  }

  function alignHeads(table, heads) {
    const first = table.tBodies[0] && table.tBodies[0].rows[0];
    if (!first) return;
    heads.forEach((head, i) => {
      if (first.cells[i] && first.cells[i].classList.contains('number')) head.classList.add('number');
    });
  }

  function filter(list) {
    const fields = all('[data-filter]', list);
    const shown = list.querySelector('.shown');
    const more = list.querySelector('.show-all');
    let whole = false;
    const apply = () => {
      let count = 0;
      const filtered = fields.some(field => field.type !== 'checkbox' && field.value.trim());
      for (const body of all('tbody', list)) {
        const fits = fields.every(field => {
          if (field.type === 'checkbox') return !field.checked || !('repeat' in body.dataset);
          const wanted = field.value.trim().toLowerCase();
          if (!wanted) return true;
          return field.dataset.filter === 'text'
            ? body.textContent.toLowerCase().includes(wanted)
            : body.dataset[field.dataset.filter] === wanted;
        });
        count += fits ? 1 : 0;
        body.hidden = !fits || !(whole || filtered || count <= FIRST);
      }
      more.hidden = whole || filtered || count <= FIRST;
      more.textContent = 'Show all ' + count;
      shown.textContent = count + (count === 1 ? ' neuron' : ' neurons');
    };
    fields.forEach(field => field.addEventListener('input', apply));
    list.addEventListener('sorted', apply); // the first ones are others now
    list.querySelector('.filters').hidden = false;
    const everything = () => { whole = true; fields.forEach(field => { field.value = ''; field.checked = false; }); apply(); };
    more.addEventListener('click', () => { whole = true; apply(); });
    apply();
    return everything;
  }

  // A link to a partner shows it even when a filter hides it, and opens its texts.
  function neurons() {
    const clear = new Map(all('.neurons').map(list => [list, filter(list)]));
    const reveal = () => {
      const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target || target.tagName !== 'TBODY') return;
      if (target.hidden) clear.get(target.closest('.neurons'))();
      target.querySelector('details').open = true;
      target.scrollIntoView({ block: 'center' });
    };
    window.addEventListener('hashchange', reveal);
    reveal();
  }

  function save(blob, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // The figure of the page, with its style inside, in the colours shown.
  function figures() {
    for (const button of all('button.save')) {
      button.hidden = false;
      button.addEventListener('click', () => {
        const svg = button.closest('figure').querySelector('svg').cloneNode(true);
        const style = document.createElementNS('http://www.w3.org/2000/svg', 'style');
        style.textContent = document.getElementById('figure-style').textContent;
        svg.prepend(style);
        if (document.documentElement.dataset.theme) svg.dataset.theme = document.documentElement.dataset.theme;
        save(new Blob([new XMLSerializer().serializeToString(svg)], { type: 'image/svg+xml' }), button.dataset.figure + '.svg');
      });
    }
  }

  // Where the browser can unpack, a table is saved as .csv; otherwise the link itself gives the .csv.gz.
  function downloads() {
    if (!window.DecompressionStream) return;
    document.addEventListener('click', async event => {
      const link = event.target.closest && event.target.closest('a.table-download');
      if (!link) return;
      event.preventDefault();
      const packed = Uint8Array.from(atob(link.href.slice(link.href.indexOf(',') + 1)), c => c.charCodeAt(0));
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
      save(await new Response(stream).blob(), link.download.replace(/\.gz$/, ''));
    });
  }

  theme();
  tips();
  sorting();
  neurons();
  figures();
  downloads();
})();
