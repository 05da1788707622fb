// The little that HTML does not do by itself. No data of anybody's passes through here.
"use strict";

// A button that shows and hides the menu on narrow screens.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-toggles]");
  if (button) {
    const shown = document.getElementById(button.dataset.toggles).classList.toggle("show");
    button.setAttribute("aria-expanded", String(shown));
  }
  // A menu that stands open closes when something else is pressed.
  for (const open of document.querySelectorAll("details.who[open]")) {
    if (!open.contains(event.target)) open.removeAttribute("open");
  }
});

// One tick for all of a list.
document.addEventListener("change", (event) => {
  const name = event.target.dataset.ticks;
  if (!name) return;
  for (const box of event.target.closest("form").elements) {
    if (box.name === name && box.type === "checkbox") box.checked = event.target.checked;
  }
});

// Keys: a field may name one that brings you there; Escape closes menus.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const open of document.querySelectorAll("details.who[open]")) open.removeAttribute("open");
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select")) return;
  const field = [...document.querySelectorAll("[data-focus-key]")].find((one) => one.dataset.focusKey === event.key);
  if (field) {
    event.preventDefault();
    field.focus();
  }
});

// What was answered to somebody who is no longer signed in: the page as a whole has to know.
document.addEventListener("htmx:before:swap", (event) => {
  if (event.detail.ctx?.response?.status === 401) {
    event.preventDefault();
    window.location.reload();
  }
});

// What runs out is counted down from what the page was told: the clock of this machine may be wrong.
setInterval(() => {
  for (const place of document.querySelectorAll("[data-seconds-left]")) {
    const now = performance.now() / 1000;
    place.dataset.ends ??= now + Number(place.dataset.secondsLeft);
    const left = Math.max(Math.ceil(Number(place.dataset.ends) - now), 0);
    place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }
}, 1000);
