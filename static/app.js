// On every page: says that modules run, guards forms against a second send, closes menus.
document.documentElement.classList.add('js');

// The server is idempotent; this only spares people a puzzling second click.
document.addEventListener('submit', (sent) => {
  const form = sent.target;
  if (form.dataset.sent) {
    sent.preventDefault();
    return;
  }
  if (form.method === 'get') return;
  form.dataset.sent = '1';
  for (const button of form.querySelectorAll('button')) button.setAttribute('aria-disabled', 'true');
});

// A page restored by "back" is usable again.
window.addEventListener('pageshow', (shown) => {
  if (!shown.persisted) return;
  for (const form of document.forms) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll('button')) button.removeAttribute('aria-disabled');
  }
});

document.addEventListener('click', (clicked) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(clicked.target)) menu.open = false;
  }
});
document.addEventListener('keydown', (pressed) => {
  if (pressed.key !== 'Escape') return;
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    menu.open = false;
    menu.querySelector('summary').focus();
  }
});
