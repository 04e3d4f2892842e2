// Puts times into the reader's zone, and keeps a page that says `data-refresh` (seconds) up to date. Pages work without it.
(() => {
  const local = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' });
  const zoned = root => {
    for (const time of root.querySelectorAll('time[datetime]')) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime()) || at.getTimezoneOffset() === 0 || !time.textContent.endsWith('UTC')) continue;
      time.title = time.textContent;
      time.textContent = `${local.format(at)} (${time.dateTime.slice(11, 16)} UTC)`;
    }
  };
  zoned(document);
  const main = document.querySelector('main[data-refresh]');
  if (!main) return;
  // Whoever is typing, choosing or reading on keeps the page as it is.
  const busy = () => {
    const at = document.activeElement;
    const typed = [...main.querySelectorAll('input:not([type=hidden]), textarea')].some(field => field.value !== field.defaultValue);
    const chosen = [...main.querySelectorAll('option')].some(option => option.selected !== option.defaultSelected && option.value !== '');
    return document.hidden || typed || chosen || (at !== main && main.contains(at)) || main.querySelector('details[open]') || String(getSelection()) !== '';
  };
  setInterval(async () => {
    if (busy()) return;
    try {
      const answer = await fetch(location.pathname + (location.pathname === '/' ? '' : location.search), { credentials: 'same-origin' });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
      if (!fresh || busy()) return;
      zoned(fresh);
      main.replaceChildren(...fresh.childNodes);
    } catch { /* The next time will tell; the page says as of when it is. */ }
  }, 1000 * Number(main.dataset.refresh));
})();
