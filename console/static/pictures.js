// Pictures that are chosen, dropped or pasted go to the server at once; what it answers is put into the form.
"use strict";

const WANTED = ["image/jpeg", "image/png", "image/webp"];

function headers() {
  const inherited = document.body.getAttribute("hx-headers:inherited");
  return inherited ? JSON.parse(inherited) : {};
}

async function send(place, files) {
  const form = place.closest("form");
  const shown = place.querySelector("[data-pictures-shown]");
  place.classList.add("busy");
  for (const file of files) {
    const body = new FormData();
    for (const name of ["csrf", "return_no", "code"]) {
      const field = form.elements[name];
      if (field) body.append(name, field.value);
    }
    body.append("pictures", file);
    let told;
    try {
      const answer = await fetch(place.dataset.pictures, { method: "POST", body, headers: headers() });
      told = answer.ok || answer.status === 422 ? await answer.text() : "";
    } catch {
      told = "";
    }
    const part = document.createElement("div");
    part.className = "contents";
    part.innerHTML = told || `<p class="text-danger mb-0">${place.dataset.failed}</p>`;
    shown.append(part);
  }
  place.classList.remove("busy");
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

function pictures(list) {
  return [...(list || [])].filter((file) => WANTED.includes(file.type));
}

for (const place of document.querySelectorAll("[data-pictures]")) {
  place.querySelector("input[type=file]").addEventListener("change", (event) => {
    send(place, [...event.target.files]);
    event.target.value = ""; // else it would be sent again with the form
    event.stopPropagation();
  });
  place.addEventListener("dragover", (event) => event.preventDefault());
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    send(place, [...event.dataTransfer.files]);
  });
  place.addEventListener("click", (event) => {
    const taken = event.target.closest("[data-takes-away]");
    if (taken) taken.closest(".taken-picture").remove();
  });
}

document.addEventListener("paste", (event) => {
  const files = pictures(event.clipboardData?.files);
  const place = document.querySelector("[data-pictures]");
  if (files.length && place) send(place, files);
});
