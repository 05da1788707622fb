// The return desk: single keys press buttons, the answer sounds. A scanner types too, but quicker than any hand.
"use strict";

const QUIET_MS = 150;
const field = document.getElementById("scanned");
let waiting = 0;

// A digit alone is a key; a digit that is followed at once by others is the beginning of a barcode.
document.addEventListener("keydown", (event) => {
  window.clearTimeout(waiting);
  if (event.ctrlKey || event.altKey || event.metaKey || event.key.length !== 1) return;
  const elsewhere = event.target !== field && event.target.closest("input, textarea, select");
  if (elsewhere) return;
  if (event.target !== field) field.focus();
  if (field.value !== "") return;
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (button) {
    waiting = window.setTimeout(() => {
      if (field.value !== event.key) return;
      field.value = "";
      button.click();
    }, QUIET_MS);
  }
});

// Sent once: a second press while the first is under way is not a second unit.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});

function tone(context, pitch, from, length) {
  const sound = context.createOscillator();
  const loudness = context.createGain();
  sound.frequency.value = pitch;
  loudness.gain.value = 0.2;
  sound.connect(loudness).connect(context.destination);
  sound.start(context.currentTime + from);
  sound.stop(context.currentTime + from + length);
}

const answer = document.querySelector("[data-sound]");
if (answer && window.AudioContext) {
  const context = new AudioContext();
  if (answer.dataset.sound === "good") tone(context, 880, 0, 0.12);
  else [0, 0.22, 0.44].forEach((from) => tone(context, 196, from, 0.16));
}
