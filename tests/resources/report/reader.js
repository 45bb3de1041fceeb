// A reader of the report (BrowserSpec): runs before the page's own script, acts when the page is there, and promises what it saw
// as the window's "seen".
(function () {
  'use strict';
  const seen = { errors: [], violations: [] };
  window.addEventListener('error', event => seen.errors.push(String(event.message)));
  window.addEventListener('unhandledrejection', event => seen.errors.push(String(event.reason)));
  document.addEventListener('securitypolicyviolation', event => seen.violations.push(event.violatedDirective + ' ' + event.blockedURI));

  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const input = (field, value) => {
    if (field.type === 'checkbox') field.checked = value; else field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const visible = list => all('tbody', list).filter(body => body.getBoundingClientRect().height > 0);

  function figures() {
    all('details').forEach(part => { part.open = true; });
    // of several figures in one place one is shown, the others where they are chosen
    const drawn = new Set();
    const look = () => all('figure svg').filter(svg => svg.getBoundingClientRect().height > 20).forEach(svg => drawn.add(svg));
    look();
    for (const choice of all('input[type=radio]')) {
      choice.click();
      look();
    }
    seen.figures = all('figure svg').length;
    seen.neverDrawn = all('figure svg').filter(svg => !drawn.has(svg)).map(svg => svg.textContent.slice(0, 60));
    const mark = all('.fig .mark').find(candidate => /Seed/.test((candidate.querySelector('title') || {}).textContent));
    mark.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
    seen.tip = document.querySelector('.tip').textContent;
    document.body.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
  }

  function neurons() {
    const list = document.querySelector('.neurons');
    seen.neurons = all('tbody', list).length;
    input(list.querySelector('[data-filter=repeat]'), false);
    seen.firstShown = visible(list).length;
    const word = list.querySelector('mark').textContent.trim().toLowerCase();
    input(list.querySelector('[data-filter=text]'), word);
    seen.filtered = visible(list).length;
    seen.filteredFit = visible(list).every(body => body.textContent.toLowerCase().includes(word));
    input(list.querySelector('[data-filter=text]'), '');
    list.querySelector('.show-all').click();
    seen.allShown = visible(list).length;
    const column = all('th', list).findIndex(head => head.textContent.startsWith('Excess'));
    const values = () => all('tbody', list).map(body => Number(body.rows[0].cells[column].dataset.value));
    const head = all('th', list)[column].querySelector('button');
    head.click();
    seen.down = values();
    head.click();
    seen.up = values();
  }

  function colours() {
    const colour = () => getComputedStyle(document.body).backgroundColor;
    const before = colour();
    document.querySelector('.theme').click();
    seen.colours = [before, colour()];
  }

  async function download() {
    let blob = null;
    const create = URL.createObjectURL;
    const click = HTMLAnchorElement.prototype.click;
    URL.createObjectURL = given => { blob = given; return 'blob:none'; };
    const clicked = new Promise(resolve => {
      HTMLAnchorElement.prototype.click = function () { resolve(this.download); };
    });
    const link = all('a.table-download').find(candidate => candidate.download.startsWith('identify_'));
    link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
    const name = await clicked;
    URL.createObjectURL = create;
    HTMLAnchorElement.prototype.click = click;
    seen.table = { name: name, text: await blob.text() };
  }

  const loaded = new Promise(resolve => window.addEventListener('load', resolve));
  window.seen = loaded.then(async () => {
    try {
      figures();
      neurons();
      colours();
      await download();
      seen.scrollWidth = document.documentElement.scrollWidth;
      seen.clientWidth = document.documentElement.clientWidth;
      seen.resources = performance.getEntriesByType('resource').map(entry => entry.name).filter(address => !/^(data|blob):/.test(address));
    } catch (failure) {
      seen.errors.push(String(failure && failure.stack || failure));
    }
    return seen;
  });
})();
