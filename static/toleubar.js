// Comforts of the card form; everything works without them.

const form = document.querySelector("[data-pay]");
const number = form?.elements.CardNumber;
const expiry = form?.elements.ExpiryDate;
const deadline = document.querySelector("[data-left-s]");

// Digits in groups as they stand on the card: American Express 4-6-5, the others by four.
function groupDigits(text) {
  const digits = text.replace(/\D/g, "").slice(0, 19);
  const sizes = /^3[47]/.test(digits) ? [4, 6, 5] : [4, 4, 4, 4, 3];
  const groups = [];
  let from = 0;
  for (const size of sizes) {
    if (from < digits.length) groups.push(digits.slice(from, from + size));
    from += size;
  }
  return groups.join(" ");
}

function slashExpiry(text) {
  const digits = text.replace(/\D/g, "").slice(0, 4);
  return digits.length > 2 ? `${digits.slice(0, 2)}/${digits.slice(2)}` : digits;
}

// Rewrites the field only when the caret is at its end, so that corrections inside stay in place.
function keepForm(input, rewrite) {
  input.inputMode = "numeric";
  input.addEventListener("input", () => {
    if (input.selectionStart === input.value.length) input.value = rewrite(input.value);
  });
}

function countDown(seconds) {
  const until = performance.now() + seconds * 1000;
  const place = deadline.querySelector("[data-countdown]");
  const tick = () => {
    const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    deadline.classList.toggle("deadline-near", left <= 60);
    if (left === 0) {
      clearInterval(timer);
      // The server says what became of the payment.
      setTimeout(() => location.reload(), 1500);
    }
  };
  const timer = setInterval(tick, 1000);
  tick();
}

if (form) {
  keepForm(number, groupDigits);
  keepForm(expiry, slashExpiry);
  const pay = form.querySelector(".pay");
  const label = pay.textContent;
  form.addEventListener("submit", () => {
    pay.disabled = true;
    pay.textContent = pay.dataset.wait;
  });
  // Back from the merchant through the browser's memory: the button must live again.
  addEventListener("pageshow", () => {
    pay.disabled = false;
    pay.textContent = label;
  });
  for (const code of document.querySelectorAll("[data-card]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "use-card";
    button.textContent = code.textContent;
    button.addEventListener("click", () => {
      number.value = groupDigits(code.dataset.card);
      expiry.value ||= `12/${String(new Date().getFullYear() + 3).slice(-2)}`;
      form.elements.Cvv.value = /^3[47]/.test(number.value) ? "1234" : "123";
      form.elements.CardholderName.value ||= "TEST BUYER";
      form.elements.Email.value ||= "buyer@example.kz";
      form.querySelector(".pay").focus();
    });
    code.replaceWith(button);
  }
}
if (deadline) countDown(Number(deadline.dataset.leftS));
